"""Devices behind a Home Assistant: it is spoken to in ``link.py``, understood in ``codec.py``.

``driver.py`` holds the hubs; ``locks.py``, ``thermostats.py`` and ``noise_sensors.py`` are what can be
commanded, and ``proof.py`` is what must be seen before a command is said to have come true.
"""
