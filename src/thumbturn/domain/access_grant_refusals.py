"""What access grants refuse."""

from __future__ import annotations

from thumbturn.domain.errors import Refusal


class AccessGrantNotFound(Refusal, type="access_grant_not_found", status=404):
    """Access grant not found"""


class AccessMethodNotFound(Refusal, type="access_method_not_found", status=404):
    """Access method not found"""


class AccessGrantKeyTaken(Refusal, type="access_grant_key_taken", status=409):
    """Another access grant of this workspace has this key"""


class AccessGrantIsOver(Refusal, type="access_grant_over", status=409):
    """This access grant is being deleted, and stays as it was: create a new one"""


class CustomizationProfileNotFound(Refusal, type="customization_profile_not_found", status=404):
    """Customization profile not found: they are about mobile keys, which cannot be made here"""


class AccessMethodIsNoCard(Refusal, type="access_method_not_encodable", status=400):
    """Only access methods whose mode is card are encoded or assigned a card"""


class AccessMethodNotReady(Refusal, type="access_method_not_ready", status=409):
    """Nothing of this access method is there to be encoded, assigned or used yet, or any more"""
