"""What can be wrong with a virtual device: each fault is a row of facts, not a branch somewhere."""

from __future__ import annotations

from dataclasses import dataclass

from thumbturn.domain.evidence import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """How a device deals with a command. The defaults are those of a sound device."""

    name: str
    meaning: str
    #: What comes back for the command.
    reply: Evidence = Evidence.DEVICE_ACCEPTED
    #: The command gets as far as the device.
    reaches: bool = True
    #: The device says no.
    refuses: bool = False
    #: The device does what it is told.
    acts: bool = True
    #: What the device has to say gets out: reports, and answers to reads.
    speaks: bool = True
    #: A bolt that is told to move is stuck, and the lock says so.
    jams: bool = False
    #: The device reports that it did what it did not do.
    lies: bool = False
    #: The device goes dead under way; chance decides whether it had acted by then.
    dies: bool = False
    #: How much later than usual everything happens.
    milliseconds: int = 0

    @property
    def is_sound(self) -> bool:
        """True if nothing is wrong."""
        return self.name == "sound"


SOUND = Fault(name="sound", meaning="Nothing is wrong.")
OFFLINE = Fault(
    name="offline",
    meaning="The device is offline. No command reaches it.",
    reaches=False,
)
SLOW = Fault(
    name="slow",
    meaning="The device does as it is told, so many milliseconds later than usual.",
    milliseconds=2_000,
)

_KINDS = (
    OFFLINE,
    Fault(
        name="silent",
        meaning="The device acts, but sends no reply and no report, and answers no read.",
        reply=Evidence.NONE,
        speaks=False,
    ),
    Fault(
        name="ack_only",
        meaning="The radio acknowledges the command and nothing else happens. Reads are not answered.",
        reply=Evidence.RADIO_ACK,
        reaches=False,
        speaks=False,
    ),
    Fault(
        name="refuse",
        meaning="The device refuses the command.",
        refuses=True,
    ),
    Fault(
        name="jam",
        meaning="The lock takes the command, its motor strains, the bolt stays, and it reports the jam.",
        acts=False,
        jams=True,
    ),
    Fault(
        name="lie",
        meaning="The device reports that it did as told, and did not. A sensor at the bolt tells the truth.",
        acts=False,
        lies=True,
    ),
    SLOW,
    Fault(
        name="dead_mid_way",
        meaning="The device begins and goes dead. Whether the bolt moved is left to (seeded) chance.",
        reply=Evidence.RADIO_ACK,
        acts=False,
        speaks=False,
        dies=True,
    ),
)

#: Every fault that can be injected, by its name.
KINDS: dict[str, Fault] = {fault.name: fault for fault in _KINDS}
#: The name of each fault, and what the device then does.
FAULTS: dict[str, str] = {fault.name: fault.meaning for fault in _KINDS}
