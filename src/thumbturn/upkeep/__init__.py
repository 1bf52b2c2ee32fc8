"""The commands with which an operator works on the database itself, without the server or beside it.

What they do to it is in ``storage``; here stands what is asked for, what is refused, and what is said.
"""
