"""Fakes that ship with the product, for its own tests and for those of programs that use it.

Each stands in for a part of the outside world (time, a network, a device) and obeys the same
contract as the real thing. None of them patches anything: they are passed where the real ones are.
"""
