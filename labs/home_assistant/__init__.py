"""The real Z-Wave JS driver and server, with a mock radio."""
