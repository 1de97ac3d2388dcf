"""Use cases: load, decide, save, and only then perform the effects."""
