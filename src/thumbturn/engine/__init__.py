"""Makes attempts happen: accepts them durably, runs them in order, ends each exactly once.

It knows actions and the domain, and the outside world only through ``ports``.
"""
