"""The entry that the entities belong to: made at the first start, without anybody's doing."""

from __future__ import annotations

from homeassistant.config_entries import ConfigFlow
from homeassistant.data_entry_flow import FlowResult


class LabFlow(ConfigFlow, domain="lab"):
    """Makes the one entry."""

    async def async_step_import(self, data: dict) -> FlowResult:
        """Make it."""
        return self.async_create_entry(title="Lab", data=data)
