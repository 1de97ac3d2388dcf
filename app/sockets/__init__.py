"""Socket.IO: a few lines a handler. Only this package knows how the wire is carried."""
