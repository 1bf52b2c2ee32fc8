"""Under which address the server is asked: what leads back to it begins like that."""

from __future__ import annotations

import re

_HOST = re.compile(r"[A-Za-z0-9.:_\[\]-]+")


def origin_of(scheme: str, host: str) -> str:
    """Scheme and host, as far as the ``Host`` header names one."""
    return f"{scheme}://{host if _HOST.fullmatch(host) else 'localhost'}"
