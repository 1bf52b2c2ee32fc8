"""Every type of event: what causes it here and where it is written, or why nothing can."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, get_args

from thumbturn.api.wire.vocabulary import EventType
from thumbturn.domain.announcing import ANNOUNCED, event_types_of

#: All that can be told.
TYPES: tuple[str, ...] = get_args(EventType)


class Made(NamedTuple):
    """Where a type is written."""

    #: Below ``src/thumbturn/``.
    module: str
    when: str


_CODES, _CHANGES = "domain/access_code_news.py", "domain/access_code_changes.py"
_DEVICE, _ACCESS, _WEBVIEWS = "domain/device.py", "domain/access.py", "engine/connect_webviews.py"
_GRANTS, _GRANT_KEEPER = "domain/access_grant_news.py", "engine/grant_keeper.py"
_THERMOSTAT, _THRESHOLD = "domain/thermostat.py", "domain/threshold.py"

#: Of the ends of attempts, the contract has some; the others are told where the workspace chose so.
OF_THE_WIRE = frozenset(event_types_of(ANNOUNCED))
_CHOSEN = ", if the workspace [chose to be told](attempts.md)"

#: By family, and by what comes behind its dot.
_MADE: Mapping[str, Mapping[str, Made]] = {
    "access_grant": {
        "created": Made("engine/access_grants.py", "a grant is made"),
        "access_times_changed": Made(_GRANTS, "its times are changed"),
        "access_granted_to_door": Made(_GRANTS, "an entrance opens by it"),
        "access_granted_to_all_doors": Made(_GRANTS, "all its doors do"),
        "access_to_door_lost": Made(_GRANTS, "an entrance opens by it no more"),
        "could_not_create_requested_access_methods": Made(
            _GRANT_KEEPER, "no way in that it has opens a door"
        ),
        "deleted": Made(_GRANT_KEEPER, "nothing of it is left at any lock"),
    },
    "access_method": {
        "created": Made(_GRANT_KEEPER, "a grant needs it"),
        "issued": Made(_GRANTS, "all that it rests on is in place"),
        "reissued": Made(_GRANTS, "it is so again, or its card was encoded again"),
        "card_encoding_required": Made(_GRANTS, "a card has to be presented"),
        "failed_to_issue": Made(_GRANTS, "a lock or a system refused it"),
        "delay_in_issuing": Made(_GRANTS, "a lock is later with it than it should be"),
        "revoked": Made(_GRANTS, "it opens nothing any more"),
        "deleted": Made(_GRANT_KEEPER, "nothing of it is left at any lock"),
    },
    "access_code": {
        "created": Made("engine/access_codes.py", "a code is asked for"),
        "changed": Made(_CHANGES, "something of a code is changed here"),
        "name_changed": Made(_CHANGES, "its name is"),
        "code_changed": Made(_CHANGES, "its digits are"),
        "time_frame_changed": Made(_CHANGES, "its times are"),
        "mutations_requested": Made(_CHANGES, "its lock must be brought to something new"),
        "scheduled_on_device": Made(_CODES, "its lock holds it ahead of its start"),
        "set_on_device": Made(_CODES, "it lets in from now on"),
        "removed_from_device": Made(_CODES, "its lock holds it no more"),
        "delay_in_setting_on_device": Made(_CODES, "its lock is later with it than it should be"),
        "failed_to_set_on_device": Made(_CODES, "its lock refused it, or was not reached"),
        "deleted": Made(_CODES, "it is known no more"),
        "delay_in_removing_from_device": Made(_CODES, "its lock is late with its end"),
        "failed_to_remove_from_device": Made(_CODES, "its lock could not be rid of it"),
        "modified_external_to_seam": Made(_CODES, "somebody changed it at its lock"),
        "deleted_external_to_seam": Made(_CODES, "somebody deleted it at its lock"),
        "backup_access_code_pulled": Made("engine/backup_pool.py", "a backup is used in its place"),
        "unmanaged.converted_to_managed": Made(_CODES, "it is looked after from now on"),
        "unmanaged.failed_to_convert_to_managed": Made(_CODES, "that could not be"),
        "unmanaged.created": Made("engine/programming.py", "it was found at a lock"),
        "unmanaged.removed": Made(_CODES, "it is at its lock no more"),
    },
    "acs_system": {
        "added": Made(_ACCESS, "it came with an account that a person connected"),
        "connected": Made("engine/access.py", "somebody signed in to its account again"),
        "disconnected": Made("engine/access.py", "its account lets nobody in"),
    },
    "acs_credential": {
        "deleted": Made("engine/acs_credentials.py", "it, its user or its account is deleted"),
        "issued": Made("engine/encoder_desk.py", "a card is encoded with it, or it needs no card"),
        "reissued": Made("engine/encoder_desk.py", "a card is encoded with it again"),
        "invalidated": Made("engine/encoder_desk.py", "its card is written over"),
    },
    "acs_user": {
        "created": Made("engine/acs_users.py", "a user is made"),
        "deleted": Made("engine/acs_users.py", "he, his identity or his account is deleted"),
    },
    "acs_encoder": {
        "added": Made("domain/encoder.py", "it is back in its system"),
        "removed": Made("domain/encoder.py", "it is taken out of its system, or goes with its account"),
    },
    "acs_entrance": {
        "added": Made(_ACCESS, "it came with its system"),
        "removed": Made("engine/access.py", "it goes with its account"),
    },
    "acs_access_group": {"deleted": Made("engine/acs_users.py", "it, or its account, is deleted")},
    "client_session": {"deleted": Made("domain/client_session.py", "it, or its identity, is deleted")},
    "connected_account": {
        "connected": Made(_WEBVIEWS, "a person signs in to it"),
        "created": Made(_WEBVIEWS, "he does so for the first time"),
        "successful_login": Made(_WEBVIEWS, "likewise, at each time"),
        "disconnected": Made("domain/connected_account.py", "it lets nobody in any more"),
        "reauthorization_requested": Made("domain/connected_account.py", "so somebody has to sign in again"),
        "completed_first_sync": Made(_WEBVIEWS, "its devices are known"),
        "completed_first_sync_after_reconnection": Made(
            _WEBVIEWS, "they are, after it was signed in to again"
        ),
        "deleted": Made("engine/connected_accounts.py", "it is known no more"),
    },
    "action_attempt": {
        each.removeprefix("action_attempt."): Made(
            "domain/announcing.py",
            f"such an attempt has {each.rpartition('.')[2]}{'' if each in OF_THE_WIRE else _CHOSEN}",
        )
        for each in TYPES
        if each.startswith("action_attempt.")
    },
    "connect_webview": {
        "login_succeeded": Made(_WEBVIEWS, "a person got to the end of it"),
        "login_failed": Made(_WEBVIEWS, "he gave up, or tried too many passwords"),
    },
    "device": {
        "added": Made(
            _DEVICE, "it came with an account that a person connected; a sandbox's own are not told"
        ),
        "connected": Made(_DEVICE, "it can be reached again"),
        "disconnected": Made(_DEVICE, "it cannot be reached any more"),
        "converted_to_unmanaged": Made(_DEVICE, "it is handed over"),
        "unmanaged.converted_to_managed": Made(_DEVICE, "it is taken back"),
        "unmanaged.connected": Made(_DEVICE, "it can be reached again, while it is not managed"),
        "unmanaged.disconnected": Made(_DEVICE, "it cannot be reached any more, likewise"),
        "low_battery": Made("domain/battery.py", "its battery has less than a quarter left"),
        "battery_status_changed": Made("domain/battery.py", "another word is true of its battery"),
        "removed": Made(_DEVICE, "its owner takes it out of his account"),
        "deleted": Made(_DEVICE, "it is known no more"),
        "name_changed": Made(_DEVICE, "it is given another name here"),
        "error.subscription_required": Made(_DEVICE, "its maker wants to be paid first"),
        "error.subscription_required.resolved": Made(_DEVICE, "he was"),
    },
    "noise_sensor": {"noise_threshold_triggered": Made("domain/noise.py", "it is too loud, once per time")},
    "lock": {
        "locked": Made(_DEVICE, "its bolt moved out"),
        "unlocked": Made(_DEVICE, "its bolt moved in"),
        "access_denied": Made(_DEVICE, "its keypad refused somebody"),
    },
    "thermostat": {
        "climate_preset_activated": Made(_THERMOSTAT, "a preset is put into force"),
        "manually_adjusted": Made(_THERMOSTAT, "somebody set it, here or by hand"),
        "temperature_threshold_exceeded": Made(_THRESHOLD, "it is too warm or too cold"),
        "temperature_threshold_no_longer_exceeded": Made(_THRESHOLD, "it is so no more"),
        "temperature_reached_set_point": Made(_THERMOSTAT, "it is as warm as wanted"),
        "temperature_changed": Made(_THERMOSTAT, "it is warmer or colder"),
    },
    "phone": {"deactivated": Made("domain/phone.py", "it is taken out of use")},
    "space": {
        "created": Made("engine/spaces.py", "a space is made"),
        "device_membership_changed": Made("domain/space.py", "devices or entrances came or went"),
        "deleted": Made("engine/spaces.py", "it is deleted"),
    },
    "webhook": {"disabled": Made("domain/webhook.py", "it is tried no more")},
}
MADE: Mapping[str, Made] = {
    f"{family}.{word}": made for family, words in _MADE.items() for word, made in words.items()
}

#: By the beginning of types that nothing here can cause, why not.
NEVER: Mapping[str, str] = {
    "device.tampered": "no device here can tell",
    "device.third_party_integration": "no device here knows who else speaks to it",
    "device.salto.": "no device here is one of Salto's",
    "device.connection_became_flaky": "a link is there or not: nobody here judges how often it was lost",
    "device.connection_stabilized": "likewise",
    "device.accessory_keypad": "the keypads of locks here are built in",
    "device.doorbell_rang": "no device here has a bell",
    "camera.": "there are no cameras",
    "enrollment_automation.": "mobile keys are made in an app of their maker",
}


def events() -> str:
    """Each type, what causes it, and where it is written."""
    return "\n".join(["| type | told when | written by |", "|---|---|---|", *_rows()])


def never_told() -> str:
    """The types that nothing causes, and why."""
    rows = []
    for beginning, why in NEVER.items():
        types = ", ".join(f"`{each}`" for each in sorted(TYPES) if each.startswith(beginning))
        rows.append(f"| {types} | {why} |")
    return "\n".join(["| types | why |", "|---|---|", *rows])


def _rows() -> Iterator[str]:
    for each in sorted(MADE):
        module, when = MADE[each]
        yield f"| `{each}` | {when} | `src/thumbturn/{module}` |"
