"""The URL tree: module and function name are the path.

``routes/locks.py`` :: ``get`` answers at ``/locks/get``; a trailing underscore keeps a name off a
builtin. Routes of actions are not here: they follow from the actions.
"""
