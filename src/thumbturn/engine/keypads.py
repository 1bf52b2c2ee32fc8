"""What somebody in a sandbox may do at a lock's own keypad: set, change and delete codes by hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from thumbturn.domain.access_code import AccessCode, code_at
from thumbturn.domain.client_session import Reach
from thumbturn.domain.device import Device
from thumbturn.domain.errors import Refusal
from thumbturn.domain.failures import DuplicateOnDevice, NoSpaceOnDevice
from thumbturn.domain.pin import check_pin
from thumbturn.domain.refusals import WorkspaceNotSandbox
from thumbturn.domain.workspace import Workspace
from thumbturn.engine.access_codes import AccessCodes
from thumbturn.engine.code_refusals import AccessCodeNotFound, DuplicateAccessCode, LockIsOffline
from thumbturn.engine.sandbox_ports import SandboxWorld


class LockIsFull(Refusal, type="lock_is_full", status=409):
    """The lock holds as many codes as it can: delete one first"""


class Keypads:
    """The keypads of sandboxes. What is done at them is found out as at any lock: the lock is read."""

    def __init__(
        self,
        *,
        world: SandboxWorld,
        codes: AccessCodes,
        read: Callable[[Device], Awaitable[None]],
        written: Callable[[], Awaitable[None]],
    ) -> None:
        self._world = world
        self._codes = codes
        self._read = read
        self._written = written

    async def set_code(
        self, workspace: Workspace, device_id: str, pin: str, name: str, reach: Reach = None
    ) -> AccessCode:
        """Somebody sets a code at a lock; the code, once the lock was read."""
        device = self._lock(workspace, device_id, reach)
        check_pin(device, pin)
        place = self._touch(device, None, pin, name)
        await self._written()
        await self._read(device)
        return await self._codes.get(workspace.id, code_at(device.id, place), is_managed=False)

    async def change_code(self, workspace: Workspace, access_code_id: str, pin: str | None) -> None:
        """Somebody gives a code another PIN at its lock, or, without one, deletes it there.

        Raises ``AccessCodeNotFound`` also if the lock does not hold it.
        """
        code = await self._codes.of_either_kind(workspace.id, access_code_id)
        device = self._lock(workspace, code.device_id, None)
        if pin is not None:
            check_pin(device, pin)
        try:
            self._touch(device, code.place, pin, None)
        except KeyError:
            raise AccessCodeNotFound(data={"access_code_id": access_code_id}) from None
        await self._written()
        await self._read(device)

    def _touch(self, device: Device, place: str | None, pin: str | None, name: str | None) -> str:
        try:
            return self._world.touch_code(device.id, place, pin, name)
        except DuplicateOnDevice:
            raise DuplicateAccessCode(data={"device_id": device.id}) from None
        except NoSpaceOnDevice:
            raise LockIsFull(data={"device_id": device.id}) from None

    def _lock(self, workspace: Workspace, device_id: str, reach: Reach) -> Device:
        device = self._codes.lock(workspace.id, device_id, reach)
        if not workspace.is_sandbox:
            raise WorkspaceNotSandbox
        if not device.online:
            raise LockIsOffline("The lock is offline: what is done at it cannot be read now")
        return device
