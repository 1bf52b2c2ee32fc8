"""Tells other programs what happened, over HTTP: signed, in order, again and again until it is heard.

It follows the log of committed events (``engine/feed.py``) and remembers through ``engine/webhook_ports.py``.
Begin at ``deliver.py``; what one webhook goes through is ``lane.py``. Where deliveries may go is in
``targets.py``, the client that goes there in ``post.py``. Nothing here knows HTTP's other side, the API: how
an event is written is handed in.
"""
