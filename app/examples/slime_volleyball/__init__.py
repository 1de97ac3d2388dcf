"""Slime volleyball for two, with a page of instructions before it and a page of thanks after it."""
