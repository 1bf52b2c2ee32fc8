"""What a run is performed with: what its device offers, with what is on record of that where it needs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from thumbturn.domain.capabilities.access_codes import CodeMemory
from thumbturn.domain.capabilities.cards import CardRegister
from thumbturn.domain.capabilities.encoder import Encoder
from thumbturn.domain.device import Device
from thumbturn.engine.devices import Devices
from thumbturn.engine.encoder_desk import EncoderDesk
from thumbturn.engine.granting import Granting
from thumbturn.engine.ownership import Owned
from thumbturn.engine.ports import Driver, Store
from thumbturn.engine.programming import Programming
from thumbturn.engine.run import Run
from thumbturn.engine.sandbox import ResettableSandbox, SandboxControls
from thumbturn.engine.tenure import Tenure

#: Actions that need this act on what is on record of codes, too.
OF_CODES: tuple[type, ...] = (CodeMemory,)


class Offers:
    """What runs are performed with."""

    #: Who looks after grants, and what sandboxes may do: set before the first run.
    granting: Granting
    sandbox: SandboxControls

    def __init__(
        self, devices: Devices, drivers: Mapping[str, Driver], store: Store, tenure: Tenure | None = None
    ) -> None:
        """Nothing is offered past the end of the ``tenure``, where there is one."""
        self._tenure = tenure
        self._devices = devices
        self._drivers = drivers
        self._store = store

    def to(self, run: Run) -> object | None:
        """What this run is performed with; ``None`` if its device is gone, or cannot do it any more."""
        if not run.action.concerns_device:
            workspace_id = run.attempt.workspace_id
            if run.action.needs is CardRegister:
                return self.granting.card_desk(workspace_id)
            return ResettableSandbox(lambda: self.sandbox.reset(workspace_id))
        device = self._devices.get(run.attempt.device_id or "")
        driver = None if device is None else self._drivers.get(device.driver)
        if device is None or driver is None:
            return None
        if run.action.needs in OF_CODES:
            memory: Any = self._offered(driver, device, run)
            return None if memory is None else Programming(memory, self._store.access_codes, run)
        if run.action.needs is Encoder:
            encoder: Any = self._offered(driver, device, run)
            follow = self.granting.follow
            return None if encoder is None else EncoderDesk(encoder, self._store.access, run, follow)
        return self._offered(driver, device, run)

    def _offered(self, driver: Driver, device: Device, run: Run) -> object | None:
        offered: object | None = driver.offer(device, run.action.needs)
        return offered if offered is None or self._tenure is None else Owned(offered, self._tenure)
