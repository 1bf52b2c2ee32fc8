"""The server's settings: each has a default, a meaning, a flag and a ``THUMBTURN_*`` variable.

Read once, in ``main``, and passed on as arguments; nothing else reads the environment.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, cast

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from thumbturn.domain.retention import Ages, days
from thumbturn.engine.lease_ports import ROLES, Role
from thumbturn.engine.pace import read_limits
from thumbturn.webhooks.networks import read_networks

#: A hundred years; whoever wants more wants for ever.
LONGEST_DAYS = 36_500


def _kept(days: float, description: str) -> Any:
    return Field(days, ge=0, le=LONGEST_DAYS, description=description)


def _roles(text: str) -> frozenset[Role]:
    chosen = {each.strip() for each in text.split(",")}
    if not chosen or not chosen <= ROLES:
        raise ValueError(
            "These are api, engine and webhooks: one of them or several, with commas in between."
        )
    return frozenset(cast("set[Role]", chosen))


class Settings(BaseSettings):
    """What an operator may choose."""

    model_config = SettingsConfigDict(env_prefix="THUMBTURN_", frozen=True, extra="ignore")

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8470, ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")
    data: Path = Field(
        Path("thumbturn-data"),
        description="Folder for the database file, credentials.json and the virtual world's journal.",
    )
    database_url: str | None = Field(
        None,
        description="postgresql://… to keep everything there instead of in the data folder's SQLite file.",
    )
    database_pooled: bool = Field(
        False,
        description="The database's URL is a transaction pooler's, as PgBouncer's: nothing is left to a "
        "session.",
    )
    listen_url: str | None = Field(
        None,
        description="postgresql://… of the database itself, where `database_url` is a pooler's: to hear at "
        "once what other processes do. Without it, it is looked for once a second.",
    )
    migrate: bool = Field(
        True,
        description="Bring an older database to this version's schema at start; with `--no-migrate` it is "
        "refused until `thumbturn migrate` was there.",
    )
    world: Literal["sandbox", "empty", "fake-seam-connect"] = Field(
        "sandbox",
        description="What an unused data folder begins with: a sandbox workspace with virtual devices, "
        "an empty workspace for real ones, or the world of Seam's own fake, for tests.",
    )
    listen_anywhere: bool = Field(
        False,
        description="Serve the world `fake-seam-connect`, whose tokens everybody has, to other machines.",
    )
    error_wording: Literal["seed", "current"] = Field(
        "seed",
        description='How a missing parameter is put into words: `Required for provided "x"` as in the '
        "older documents (seed), or `x is required` (current).",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least important log line to write."
    )
    metrics: bool = Field(
        True, description="Serve `/metrics`, which needs no token; `--no-metrics` switches it off."
    )
    traces: str | None = Field(
        None,
        pattern=r"^https?://",
        description="Base URL of an OpenTelemetry collector, as `http://127.0.0.1:4318`, to send traces to "
        "over OTLP/HTTP; without it there are none.",
    )
    webhook_allow: str = Field(
        "",
        description="Networks, beyond the public Internet, that webhooks may go to: `127.0.0.0/8,::1/128`.",
    )
    webhook_jitter: float = Field(
        0.1,
        ge=0,
        le=0.5,
        description="By what share of it a webhook's pause before the next try may be shorter or longer.",
    )
    encryption_key: SecretStr | None = Field(
        None,
        description="Key of the secrets in the database: base64 of 32 bytes, from `openssl rand -base64 32`. "
        "Several, with commas in between: the first seals, all open. Without it, the data folder gets a key.",
    )
    rate_limits: str = Field(
        "LOCK_DOOR=15,UNLOCK_DOOR=15,CREATE_ACCESS_CODE=10,UPDATE_ACCESS_CODE=10,DELETE_ACCESS_CODE=20",
        description="How often a minute one device may be asked for what, by action type; what is not named "
        "has no limit, and with an empty text nothing has.",
    )
    rate_limit_sandboxes: bool = Field(
        False, description="Whether these limits hold for the virtual devices of sandboxes, too."
    )
    code_look_seconds: float = Field(
        21_600,
        ge=0,
        description="How often a lock's codes are looked at, in seconds, to find what was changed there and "
        "not reported; 0 for never.",
    )
    keep_attempts_days: float = _kept(
        180, "For how many days attempts are kept after their end, at least 1; 0 for ever."
    )
    keep_events_days: float = _kept(
        30,
        "For how many days events are kept, at least 1; 0 for ever. What an enabled webhook has still to be "
        "told is kept until it was.",
    )
    keep_deliveries_days: float = _kept(
        90, "For how many days the tries to tell a webhook something are kept, at least 1; 0 for ever."
    )
    keep_ended_days: float = Field(
        365,
        ge=0,
        le=LONGEST_DAYS,
        description="For how many days connect webviews are kept, and thermostat schedules and client "
        "sessions that have ended; 0 for ever.",
    )
    roles: str = Field(
        "api,engine,webhooks",
        description="What this process does, of those that share a PostgreSQL database: answer callers "
        "(`api`), command devices (`engine`), deliver webhooks (`webhooks`).",
    )
    lease_seconds: float = Field(
        5,
        ge=1,
        le=60,
        description="For so long, in seconds, a process acts for its cells after it was last heard of. When "
        "it has died, others act for them that much later, and a little more.",
    )
    virtual_world: Path | None = Field(
        None,
        description="Folder in which virtual devices keep how they stand, if it is not the data folder: "
        "processes on one machine and one PostgreSQL database may share it.",
    )
    request_seconds: float = Field(
        30, gt=0, le=3_600, description="For so long a client may take to send one request, in seconds."
    )
    keep_alive_seconds: float = Field(
        75, gt=0, le=3_600, description="For so long a connection without a request stays open, in seconds."
    )
    seed: int = Field(1, description="Seed of the virtual devices' chance: the same seed, the same run.")

    @field_validator("keep_attempts_days", "keep_events_days", "keep_deliveries_days")
    @classmethod
    def _is_for_ever_or_a_day(cls, days: float) -> float:
        # For a day a call may be repeated with its key, and a webhook tried again.
        if 0 < days < 1:
            raise ValueError("Input should be at least 1, or 0 for ever")
        return days

    @property
    def ages(self) -> Ages:
        """For how long what is over is kept."""
        return Ages(
            attempts=days(self.keep_attempts_days),
            events=days(self.keep_events_days),
            deliveries=days(self.keep_deliveries_days),
            ended=days(self.keep_ended_days),
        )

    @property
    def chosen_roles(self) -> frozenset[Role]:
        """The roles by themselves."""
        return _roles(self.roles)

    @field_validator("roles")
    @classmethod
    def _are_roles(cls, text: str) -> str:
        _roles(text)
        return text

    @field_validator("rate_limits")
    @classmethod
    def _are_limits(cls, text: str) -> str:
        read_limits(text)
        return text

    @field_validator("webhook_allow")
    @classmethod
    def _are_networks(cls, text: str) -> str:
        read_networks(text)
        return text
