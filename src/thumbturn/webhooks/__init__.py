"""Tells other programs what happened, over HTTP.

Where that may go is in ``targets.py``, the client that goes there in ``post.py``. Nothing here knows
HTTP's other side, the API.
"""
