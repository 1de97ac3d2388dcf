"""A race of two through mazes that a Python package from the package index builds."""
