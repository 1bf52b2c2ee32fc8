"""One folder per ecosystem of devices, the same file names in each.

A driver speaks to devices and reports what they say; it decides nothing and stores nothing. Drivers
implement ``Driver`` of ``engine/ports.py``, all pass the same contract tests, and none knows another.
"""
