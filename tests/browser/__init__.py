"""A package, so that its browser is closed with its last test: an open playwright holds its thread's event loop."""
