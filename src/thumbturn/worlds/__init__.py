"""The worlds that a server can begin in: what an unused data folder is filled with."""
