"""In what this server means to differ from Seam's fake, and why: of all that is asked, nothing else."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import NamedTuple

from tools.fake_compare import ONLY_HERE, ONLY_THERE, VALUE, Found


class Difference(NamedTuple):
    """What differs on purpose."""

    #: In the docs' words.
    what: str
    why: str
    #: Patterns of the places, each with what is so there; and patterns of the calls, if it is of some only.
    places: tuple[tuple[str, str], ...]
    calls: tuple[str, ...] = ("*",)

    def covers(self, found: Found) -> bool:
        """True if this is what was found."""
        return any(fnmatch(found.call, call) for call in self.calls) and any(
            fnmatch(found.place, place) and found.what == what for place, what in self.places
        )


def _here(*places: str) -> tuple[tuple[str, str], ...]:
    return tuple((place, ONLY_HERE) for place in places)


def _there(*places: str) -> tuple[tuple[str, str], ...]:
    return tuple((place, ONLY_THERE) for place in places)


def _values(*places: str) -> tuple[tuple[str, str], ...]:
    return tuple((place, VALUE) for place in places)


MEANT = (
    Difference(
        "A client session that asks for a device beyond its accounts is told 404, not 401.",
        "Whoever may not see a device does not learn that it is there.",
        _values("status"),
        ("a device beyond a client session",),
    ),
    Difference(
        "A client session may not list webhooks.",
        "The contract closes them to client sessions, and their URLs are nobody's affair in a browser.",
        _values("status"),
        ("a client session where it may not",),
    ),
    Difference(
        "A code of one digit is refused.",
        "Codes have 4 to 12 digits, and no keypad takes others.",
        _values("status"),
        ("a code that is too short",),
    ),
    Difference(
        "A path that is not there is refused in the envelope of all refusals, not in plain text.",
        "A client has one shape to read.",
        _values(""),
        ("a path that is not there",),
    ),
    Difference(
        "Refusals have a `request_id` and no `stack`.",
        "The request is found in the log by its id. A stack trace shows a server's inside.",
        (*_here("error.request_id"), *_there("error.stack")),
    ),
    Difference(
        "Some refusals have other sentences, or more `data`.",
        "Types and status are the same: what programs go by.",
        (*_values("error.message"), *_here("error.data"), *_values("error.validation_errors.*")),
    ),
    Difference(
        "A workspace that a person is no member of is `workspace_not_found`.",
        "The fake says that a token was used for an API key, of which there is none.",
        _values("error.type"),
        ("a person in another workspace",),
    ),
    Difference(
        "`/health` says that the server is up, and nothing of the state of others' services.",
        "There are none behind it; `/thumbturn/ready` says how this server is.",
        _there("last_service_evaluation_at", "msg", "service_health_statuse"),
        ("health",),
    ),
    Difference(
        "Every list has `pagination`; cursors and secrets look otherwise.",
        "Lists grow. Cursors are opaque; secrets of webhooks are those of Standard Webhooks.",
        (*_here("pagination"), *_values("pagination.next_page_*", "webhook.secret")),
    ),
    Difference(
        'A webhook for everything has `event_types: ["*"]`, and no `created_at`.',
        "It goes on to mean everything when types are added. The contract's webhook has no such key.",
        (*_values("webhook.event_types"), *_there("webhook.created_at")),
    ),
    Difference(
        "A workspace does not show its publishable key, nor when it was made.",
        "A key is shown when it is made, and kept as a hash. The key of the seed works.",
        (*_there("workspace.publishable_key", "workspace.created_at"), *_here("workspace.organization_id")),
    ),
    Difference(
        "A connected account has `account_type` and errors, and no `provider`, `workspace_id`, `bridge_id`.",
        "That is its shape in the contract of today. All accounts here are virtual.",
        (
            *_here(
                "connected_account.account_type", "connected_account.errors", "connected_account.warnings"
            ),
            *_values("connected_account.account_type_display_name"),
            *_there(
                "connected_account.provider",
                "connected_account.workspace_id",
                "connected_account.bridge_id",
                "connected_account.assa_abloy_credential_service_id",
            ),
        ),
    ),
    Difference(
        "A webview's `url` is a page here, and one that was completed has `login_successful: true`.",
        "A person can walk through it. What is authorized was logged in to.",
        (
            *_values(
                "connect_webview.url",
                "connect_webview.login_successful",
                "connect_webview.any_device_allowed",
            ),
            *_here("connect_webview.authorized_at", "connect_webview.selected_provider"),
        ),
    ),
    Difference(
        "A client session has `device_count` and `user_identity_id`, and no `api_key_id`.",
        "That is its shape in the contract.",
        (*_here("client_session.*"), *_there("client_session.api_key_id")),
    ),
    Difference(
        "The access control system is a virtual one, with its errors and warnings.",
        "No Visionline stands behind it, so it does not say so.",
        (
            *_here("acs_system.*"),
            *_there("acs_system.*system_type*", "acs_system.external_type*"),
        ),
    ),
    Difference(
        "An event has no `event_description`.",
        "The contract's has none.",
        _there("event.event_description"),
    ),
    Difference(
        "A success has a result: `was_confirmed_by_device` and what else came of it.",
        "Something was really commanded, and said how it went.",
        _values("action_attempt.result"),
    ),
    Difference(
        "`/thermostats/heat` and its like begin an attempt of the type `SET_HVAC_MODE`.",
        "The contract's list of types has no `SET_HEAT`.",
        _values("action_attempt.action_type"),
        ("heating",),
    ),
    Difference(
        "A code is at its lock soon, and its attempt comes with it.",
        "It is really programmed; the fake leaves it `setting`.",
        (*_values("access_code.status"), *_here("action_attempt", "access_code.*")),
    ),
    Difference(
        "A device has one name: `display_name` is `properties.name`.",
        "A `Smart Device` five times over says nothing.",
        _values("device.display_name"),
    ),
    Difference(
        "A new name is shown everywhere, also in `appearance`.",
        "Whoever renames a door wants to read the name.",
        (*_values("device.properties.appearance.name"), *_here("device.nickname")),
        ("the device with the new name", "what was down", "codes", "*"),
    ),
    Difference(
        "A device says what it is and what can be done to it.",
        "A thermostat that claims to be a lock with codes would be refused both.",
        (*_values("device.capabilities_supported"), *_here("device.can_*")),
    ),
    Difference(
        "A lock says what its keypad takes, and a battery its level.",
        "There is a keypad behind it, with limits that are held to.",
        _here(
            "device.properties.*code*",
            "device.properties.has_native_entry_events",
            "device.properties.model.has_built_in_keypad",
            "device.properties.battery_level",
        ),
    ),
    Difference(
        "Only a noise sensor has `currently_triggering_noise_threshold_ids`.",
        "Nothing else listens.",
        _there("device.properties.currently_triggering_noise_threshold_ids"),
    ),
    Difference(
        "A thermostat has what the contract's has: limits, modes, presets, programs, a temperature.",
        "The fake's stems from an older contract (`is_heating_available`, `automatic_heating_enabled`).",
        (
            *_here("device.properties.*"),
            *_there(
                "device.properties.is_cooling_available",
                "device.properties.is_heating_available",
                "device.properties.current_climate_setting.*",
            ),
        ),
    ),
    Difference(
        "A fan in `auto` stands still while it neither heats nor cools.",
        "The room is as warm as it shall be.",
        _values("device.properties.is_fan_running"),
    ),
)
