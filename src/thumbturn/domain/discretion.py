"""Taking PINs out of what devices and drivers say, before it is kept."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Stands where a PIN was.
HIDDEN = "••••"

#: Three digits and more, also with blanks or hyphens between them, as people group a PIN.
_LIKE_A_PIN = re.compile(r"\d(?:[ -]?\d){2,}")


def discreet(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without these secrets and without any digits that look like a PIN."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, HIDDEN)
    return _LIKE_A_PIN.sub(HIDDEN, text)
