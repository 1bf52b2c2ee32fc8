"""The same work on job libraries: accept a job durably, do next to nothing, record the outcome durably.

Each script here is run by `bench/libraries.py` in an environment of its own. It makes sure that its
workers are up, has ``CALLERS`` callers hand in ``JOBS`` jobs for ``DEVICES`` devices, each caller the next
one when the last was accepted, and says how long it took from the first hand-in until the last outcome was
on record, and how many outcomes it found there afterwards.
"""
