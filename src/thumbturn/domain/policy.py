"""What an action declares for hard times: the server was lost, or its device is away."""

from __future__ import annotations

from enum import StrEnum


class AfterCrash(StrEnum):
    """What to do with an attempt that was sent when the server was lost."""

    #: Send again while the deadline lives: doing it twice is doing it once.
    RESEND = "resend"
    #: Never send again. Read the device: if it is as asked, that is success; else nobody knows.
    ASK_DEVICE = "ask_device"
    #: Read what the device holds, then make it so.
    RECONCILE = "reconcile"
    #: End it: a person has to do his part again.
    FAIL = "fail"


class WhenOffline(StrEnum):
    """What to do with an attempt whose device is offline when its turn comes."""

    #: End it at once: who asked wanted it now.
    FAIL = "fail"
    #: Keep it until the device is back or the deadline passes: it is as good then as now.
    WAIT = "wait"
