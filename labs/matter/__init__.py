"""The real python-matter-server with Matter devices that need no radio."""
