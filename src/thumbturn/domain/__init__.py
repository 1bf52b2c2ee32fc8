"""Pure facts: what an attempt, a device and an event are, and which changes are legal.

Nothing here does input or output. Time and chance enter through ``clock`` and ``ids`` only.
"""
