"""Where sessions, games and the log are kept."""
