"""Devices that exist only here, and behave (and misbehave) like real ones.

They are what a sandbox workspace is made of. Their bolts stand in a journal on disk, apart from the
server's own memory, so that a door stays as it is when the server dies: as a real one would.
"""
