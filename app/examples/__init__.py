"""Studies that ship with Grace Server; each folder is one that `grace-server serve` can take."""
