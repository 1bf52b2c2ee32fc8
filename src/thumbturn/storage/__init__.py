"""Remembers everything, on SQLite or PostgreSQL, behind ``engine/ports.py``'s ``Store``.

All SQL of the project is in this folder. Writes are committed in groups by one thread
(``writer.py``); reads run beside it on threads of their own (``reader.py``).
"""
