"""What the experimenter sees of a running study."""
