"""What a Home Assistant says that there is: its entities, how they are, and what they are parts of.

All of it is Home Assistant's memory: where a bolt was when it was last heard of, and not where it is.
"""

from __future__ import annotations

from typing import Any

from thumbturn.drivers.home_assistant.codec import (
    Appliance,
    Changed,
    Entry,
    Facts,
    State,
    appliances_of,
    entries_of,
    number_of,
    states_of,
)

_NOWHERE = Facts(name="", is_running=False, is_fahrenheit=False, time_zone="")


class House:
    """All that one Home Assistant has said since it was connected to."""

    def __init__(self) -> None:
        self.facts = _NOWHERE
        self.states: dict[str, State] = {}
        self.entries: dict[str, Entry] = {}
        self.appliances: dict[str, Appliance] = {}
        self._by_address: dict[str, str] = {}
        #: By the ids of things, the entity that says how full their batteries are.
        self._batteries: dict[str, str] = {}

    def forget(self) -> None:
        """What was said before says nothing of what is."""
        self.facts = _NOWHERE
        self.states, self.entries, self.appliances = {}, {}, {}
        self._by_address, self._batteries = {}, {}

    def take_register(self, entries: Any, appliances: Any) -> None:
        """Take in what there is, as the two registers list it."""
        self.entries, self.appliances = entries_of(entries), appliances_of(appliances)
        self._by_address = {entry.id: entity_id for entity_id, entry in self.entries.items()}
        self._find_batteries()

    def take_states(self, listed: Any) -> None:
        """Take in how all entities are."""
        self.states = states_of(listed)
        self._find_batteries()

    def take(self, changed: Changed) -> None:
        """Take in how an entity is now."""
        if changed.state is None:
            self.states.pop(changed.entity_id, None)
            return
        is_new = changed.entity_id not in self.states
        self.states[changed.entity_id] = changed.state
        if is_new:
            self._find_batteries()

    def address_of(self, entity_id: str) -> str:
        """What an entity is called for ever: its id in the register, or its own if it is in none."""
        entry = self.entries.get(entity_id)
        return entity_id if entry is None else entry.id

    def entity_at(self, address: str) -> str:
        """What is called so now."""
        return self._by_address.get(address, address)

    def state_at(self, address: str) -> State | None:
        """How it is, as far as Home Assistant knows; ``None`` if there is no such thing."""
        return self.states.get(self.entity_at(address))

    def appliance_of(self, entity_id: str) -> Appliance | None:
        """The thing that an entity is a part of, if that is known."""
        entry = self.entries.get(entity_id)
        return None if entry is None else self.appliances.get(entry.device_id)

    def is_battery(self, entity_id: str) -> bool:
        """True for an entity that says how full the battery of a thing is."""
        entry = self.entries.get(entity_id)
        return entry is not None and self._batteries.get(entry.device_id) == entity_id

    def battery_of(self, entity_id: str) -> str:
        """The entity that says how full its battery is; empty if there is none."""
        entry = self.entries.get(entity_id)
        return "" if entry is None else self._batteries.get(entry.device_id, "")

    def battery_level(self, address: str) -> float | None:
        """How full its battery is, 0 to 1, as far as Home Assistant knows."""
        battery = self.states.get(self.battery_of(self.entity_at(address)))
        level = None if battery is None else number_of(battery.value, 0, 100)
        return None if level is None else round(level / 100, 4)

    def _find_batteries(self) -> None:
        self._batteries = {}
        for entity_id in sorted(self.entries):
            state, entry = self.states.get(entity_id), self.entries[entity_id]
            if state is None or not entry.device_id or state.domain != "sensor":
                continue
            words = state.attributes
            if words.get("device_class") == "battery" and words.get("unit_of_measurement") == "%":
                self._batteries.setdefault(entry.device_id, entity_id)
