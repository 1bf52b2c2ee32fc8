"""What access control refuses."""

from __future__ import annotations

from thumbturn.domain.access import (
    AcsAccessGroup,
    AcsCredential,
    AcsEntrance,
    AcsSystem,
    AcsUser,
    UnmanagedIdentity,
    UserIdentity,
)
from thumbturn.domain.errors import Refusal
from thumbturn.domain.refusals import UserIdentityNotFound


class AcsSystemNotFound(Refusal, type="acs_system_not_found", status=404):
    """ACS system not found"""


class AcsUserNotFound(Refusal, type="acs_user_not_found", status=404):
    """ACS user not found"""


class AcsEntranceNotFound(Refusal, type="acs_entrance_not_found", status=404):
    """ACS entrance not found"""


class AcsAccessGroupNotFound(Refusal, type="acs_access_group_not_found", status=404):
    """ACS access group not found"""


class AcsCredentialNotFound(Refusal, type="acs_credential_not_found", status=404):
    """ACS credential not found"""


class AcsEncoderNotFound(Refusal, type="acs_encoder_not_found", status=404):
    """ACS encoder not found"""


class UserIdentityKeyTaken(Refusal, type="user_identity_key_taken", status=409):
    """Another user identity of this workspace has this key"""


class UserOfAnotherIdentity(Refusal, type="acs_user_of_another_identity", status=409):
    """This ACS user belongs to another user identity: remove him from that first"""


class IdentityHasUserThere(Refusal, type="user_identity_has_acs_user", status=409):
    """The user identity has another ACS user in this system"""


class ThingsOfTwoSystems(Refusal, type="acs_system_mismatch", status=400):
    """These belong to different access control systems"""


class InvalidAccessTimes(Refusal, type="invalid_access_times", status=400):
    """Access must end after it starts"""


class AccessMethodNotSupported(Refusal, type="access_method_not_supported", status=400):
    """This access control system has no such credentials: mobile keys are made in an app of some makers"""


class CodeTaken(Refusal, type="duplicate_code", status=409):
    """Another credential of this access control system has this code"""


class NoCodeFree(Refusal, type="no_credential_code_available", status=409):
    """No code could be found that no other credential of this access control system has: give one"""


class CodeOfNoCode(Refusal, type="credential_has_no_code", status=400):
    """Only credentials whose access method is code have a code"""


class CredentialCannotUnlock(Refusal, type="credential_cannot_unlock_entrance", status=400):
    """This credential cannot unlock this entrance now: it must be a cloud key that is issued, whose time has
    come, and whose user gets through there
    """


class CredentialIsNoCard(Refusal, type="credential_not_encodable", status=400):
    """Only credentials whose access method is card can be encoded"""


#: By kind of thing, what is raised where there is none such.
NOT_FOUND: dict[type, type[Refusal]] = {
    UserIdentity: UserIdentityNotFound,
    UnmanagedIdentity: UserIdentityNotFound,
    AcsSystem: AcsSystemNotFound,
    AcsUser: AcsUserNotFound,
    AcsEntrance: AcsEntranceNotFound,
    AcsAccessGroup: AcsAccessGroupNotFound,
    AcsCredential: AcsCredentialNotFound,
}
