"""The numbers this project promises, measured beside a peer and beside a ceiling.

`python -m bench.run` starts everything it needs on loopback, loads it in turns, prints a table and
writes JSON. What is measured, and what not to read into it, stands in docs/benchmarks.md.
"""
