"""``/thumbturn/recordings``: writing down what a real device says, secrets removed, while the server runs."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import WRITE, Answer, endpoint
from thumbturn.api.parameters import Maybe, Parameters
from thumbturn.engine.engine import Engine
from thumbturn.engine.recordings import Running


class DeviceRecording(TypedDict):
    """A recording that is being made."""

    recording_id: str
    connected_account_id: str
    device_id: str
    line_count: int
    is_listening: bool


class RecordingStart(Parameters):
    """What shall be recorded."""

    connected_account_id: str
    """The account of the hub that the device is behind."""
    device_id: Maybe[str] = None
    """The device; not needed if it is the only one of the account."""


class OfRecording(Parameters):
    """A recording."""

    recording_id: str
    """The recording, as `/thumbturn/recordings/start` called it."""


class SceneBegin(OfRecording):
    """What is done next."""

    name: Annotated[str, Field(max_length=100)]
    """Its name: at most 40 small letters, blanks and underscores, such as `unlock by hand`."""


@endpoint({"recording": DeviceRecording}, methods=WRITE)
async def start(ask: RecordingStart, caller: Caller, engine: Engine) -> Answer:
    """Begins to write down what a real device and the server say to each other, without any secret: for at
    most 15 minutes, kept for an hour longer.
    """
    running = await engine.recordings.start(caller.workspace.id, ask.connected_account_id, ask.device_id)
    return {"recording": _shown(running)}


@endpoint({"recording": DeviceRecording}, methods=WRITE)
async def begin_scene(ask: SceneBegin, caller: Caller, engine: Engine) -> Answer:
    """Names what is done with the device from now on."""
    running = engine.recordings.begin_scene(caller.workspace.id, ask.recording_id, ask.name)
    return {"recording": _shown(running)}


@endpoint({"trace": dict[str, Any]}, methods=WRITE)
async def stop(ask: OfRecording, caller: Caller, engine: Engine) -> Answer:
    """Ends a recording, and gives what was written: the server forgets it."""
    return {"trace": engine.recordings.stop(caller.workspace.id, ask.recording_id)}


def _shown(running: Running) -> DeviceRecording:
    return {
        "recording_id": running.id,
        "connected_account_id": running.account_id,
        "device_id": running.tape.device.id,
        "line_count": running.tape.lines,
        "is_listening": running.tape.is_open,
    }
