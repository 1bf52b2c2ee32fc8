"""How much is known about what a device did, weakest first."""

from __future__ import annotations

from enum import IntEnum


class Evidence(IntEnum):
    """A grade of evidence. Higher is stronger; comparisons are meant."""

    #: Nothing came back.
    NONE = 0
    #: A radio, a hub or a broker took the message. Says nothing about the device.
    RADIO_ACK = 1
    #: The device itself said that it carried the command out.
    DEVICE_ACCEPTED = 2
    #: The device reported the state that was asked for, after the command.
    STATE_REPORT = 3
    #: Something that is not the device's own controller saw it: a bolt or door sensor.
    INDEPENDENT_SENSOR = 4

    @property
    def confirms(self) -> bool:
        """True when the device itself (or a sensor) said so: ``was_confirmed_by_device``."""
        return self >= Evidence.DEVICE_ACCEPTED

    @property
    def word(self) -> str:
        """The grade as timelines and settings write it."""
        return self.name.lower()
