"""The socket that the server listens on."""

from __future__ import annotations

import socket


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to this address; port 0 takes a free one. Raises ``OSError`` that says which."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise OSError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    listening.set_inheritable(True)
    return listening


def address_of(listening: socket.socket) -> tuple[str, int]:
    """Host and port, as they stand in a URL."""
    host, port = listening.getsockname()[:2]
    return (f"[{host}]" if ":" in host else host), port
