"""The closed list of causes for which an attempt ends in ``error``, and what to do about each."""

from __future__ import annotations

from thumbturn.domain.errors import Failure


class DeviceOffline(
    Failure,
    type="device_offline",
    advice="Bring the device and its hub back online, then ask again.",
):
    """The device is offline. Nothing was sent to it."""


class DeviceUnreachable(
    Failure,
    type="device_unreachable",
    advice="Check the device's battery and its distance to the hub, then ask again.",
):
    """The device did not take the command: its hub could not reach it. It has not acted."""


class DeviceRemoved(
    Failure,
    type="device_removed",
    advice="List the devices and ask for one that is still there.",
):
    """The device was removed before the command was sent to it. It has not acted."""


class LockJammed(
    Failure,
    type="lock_jammed",
    advice="Free the bolt at the door, push the door to, and ask again.",
):
    """The bolt did not move. Check the door and try again."""


class CommandRefused(
    Failure,
    type="command_refused",
    advice="Look at the device's own settings for what forbids it, then ask again.",
):
    """The device refused the command. It has not acted."""


class SubscriptionRequired(
    Failure,
    type="subscription_required",
    advice="Pay the subscription at the device's maker, then ask again.",
):
    """The device's maker wants a subscription to be paid first. The device has not acted."""


class NotSupported(
    Failure,
    type="not_supported",
    advice="Do not ask again: use a device that can do this.",
):
    """The device cannot do this."""


class ClimatePresetDeleted(
    Failure,
    type="climate_preset_deleted",
    advice="Ask for a climate preset that the thermostat has.",
):
    """The climate preset was deleted before it could be activated. The device has not acted."""


class NoiseThresholdDeleted(
    Failure,
    type="noise_threshold_deleted",
    advice="Make a new noise threshold, if one is still wanted.",
):
    """The noise threshold was deleted before it could be changed. The device has not acted."""


class NoCredentialOnEncoder(
    Failure,
    type="no_credential_on_encoder",
    advice="Ask again and have the card presented.",
):
    """No card was presented."""


class EncodingInterrupted(
    Failure,
    type="encoding_interrupted",
    advice="Ask again, and keep the card on the encoder until it says that it is done.",
):
    """The card was taken away before it was written. What was on it may be lost."""


class CredentialDeleted(
    Failure,
    type="credential_deleted",
    advice="Make a new credential, if one is still wanted.",
):
    """The credential was deleted before it could be encoded. The card has not been written."""


class CardNotFound(
    Failure,
    type="credential_not_found",
    advice="Look whether the number is right, and whether somebody has the card already.",
):
    """There is no card with this number in the access control system that could be assigned."""


class AccessMethodDeleted(
    Failure,
    type="access_method_deleted",
    advice="Make a new access grant, or ask it for a new access method, if one is still wanted.",
):
    """The access method was deleted, or its time is over, before the card could be assigned."""


class UserDeleted(
    Failure,
    type="acs_user_deleted",
    advice="Ask for a user that is still there.",
):
    """The user was deleted before the card could be assigned. Nobody has it."""


class OutcomeUnknown(
    Failure,
    type="outcome_unknown",
    advice="Look at the device, or wait for it to report, before you ask again.",
    may_have_acted=True,
):
    """The command was sent, and the device has not said what came of it. It may have acted:
    look at the device before you ask again.
    """


class CardToBePresentedAgain(
    Failure,
    type="card_to_be_presented_again",
    advice="Look at the device, then ask again and have the card presented again.",
    may_have_acted=True,
):
    """The server was restarted while a card was read or written. It may have been written: a person must
    present the card again.
    """


class ActionAttemptExpired(
    Failure,
    type="action_attempt_expired",
    advice="Find out what kept the device busy, then ask again if it is still wanted.",
):
    """The deadline passed before the command could be sent. The device has not acted."""


class Interrupted(
    Failure,
    type="interrupted",
    advice="Ask again if it is still wanted.",
):
    """The server stopped before the command was sent, and this action is not taken up again
    by itself. The device has not acted: ask again.
    """


class AttemptCancelled(
    Failure,
    type="cancelled",
    advice="Nothing is left to do: whoever cancelled it wanted that.",
):
    """The attempt was cancelled before it was sent. The device has not acted."""


class AccessCodeGone(
    Failure,
    type="access_code_gone",
    advice="List the lock's access codes, and create the code again if it is still wanted.",
):
    """The access code was deleted before this could be done for it. The lock has not acted."""


class NoSpaceOnDevice(
    Failure,
    type="no_space_for_access_code_on_device",
    advice="Delete a code that is not needed any more: this one is set as soon as there is room for it.",
):
    """The lock holds as many codes as it can. It has not acted."""


class DuplicateOnDevice(
    Failure,
    type="duplicate_code_on_device",
    advice="Give one of the two codes another PIN.",
):
    """The lock holds another code with the same PIN already. It has not acted."""
