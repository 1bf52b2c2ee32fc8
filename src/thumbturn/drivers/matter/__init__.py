"""Matter devices behind a python-matter-server: it is spoken to in ``link.py``, understood in ``codec.py``.

``driver.py`` holds the hubs; ``locks.py``, ``codes.py`` and ``thermostats.py`` are what can be commanded.
"""
