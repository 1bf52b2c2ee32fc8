"""The closed list of causes for which an attempt ends in ``error``."""

from __future__ import annotations

from thumbturn.domain.errors import Failure


class DeviceOffline(Failure, type="device_offline"):
    """The device is offline. Nothing was sent to it."""


class DeviceUnreachable(Failure, type="device_unreachable"):
    """The device did not take the command: its hub could not reach it. It has not acted."""


class DeviceRemoved(Failure, type="device_removed"):
    """The device was removed before the command was sent to it. It has not acted."""


class LockJammed(Failure, type="lock_jammed"):
    """The bolt did not move. Check the door and try again."""


class CommandRefused(Failure, type="command_refused"):
    """The device refused the command. It has not acted."""


class NotSupported(Failure, type="not_supported"):
    """The device cannot do this."""


class OutcomeUnknown(Failure, type="outcome_unknown", may_have_acted=True):
    """The command was sent, and the device has not said what came of it. It may have acted:
    look at the device before you ask again.
    """


class ActionAttemptExpired(Failure, type="action_attempt_expired"):
    """The deadline passed before the command could be sent. The device has not acted."""


class Interrupted(Failure, type="interrupted"):
    """The server stopped before the command was sent, and this action is not taken up again
    by itself. The device has not acted: ask again.
    """
