"""What the browser's Python is made of: bundles of files, packages and memory snapshots."""
