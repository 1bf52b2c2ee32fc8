"""Thumbturn makes physical devices do things and tells the truth about it.

A server on the wire of the Seam Connect API. Start reading at ``domain/attempt.py``:
everything else exists so that an attempt ends in exactly one final state.
"""

__version__ = "0.1.0"
