"""``/acs``: access control systems, their users and entrances, and what opens these.

Unlocking an entrance and everything that an encoder does are actions.
"""
