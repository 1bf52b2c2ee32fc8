"""``thumbturn connect``: link a hub, so that the real devices behind it can be commanded."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from thumbturn.cli.client import Client

Folder = Annotated[Path, typer.Option("--data", envvar="THUMBTURN_DATA", help="The server's data folder.")]
#: The workspace that is made for the first hub.
_FIRST = "Home"


def connect(
    provider: Annotated[str, typer.Argument(help="zwave_js, zigbee2mqtt, matter or home_assistant.")],
    address: Annotated[str | None, typer.Argument(help="Where it is, such as ws://192.168.1.5:3000.")] = None,
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="A further setting, NAME=VALUE. May be repeated.")
    ] = None,
    secret: Annotated[
        list[str] | None,
        typer.Option(help="The name of a secret setting, such as password: it is asked for, unseen."),
    ] = None,
    workspace: Annotated[
        str | None, typer.Option(help="The id of the workspace to link it in: one that is no sandbox.")
    ] = None,
    data: Folder = Path("thumbturn-data"),
) -> None:
    """Try a hub and link it: its devices are there when this is done."""
    chosen, token = (workspace, None) if workspace is not None else _workspace(data)
    client = Client(data, chosen)
    settings = _settings(_known(client, provider), address, setting or (), secret or ())
    answer = client.call("/thumbturn/hubs/link", provider=provider, settings=settings)
    account = answer["connected_account"]
    devices = client.call("/devices/list", connected_account_id=account["connected_account_id"])["devices"]
    typer.echo(f"{_shown(account['display_name'])} is linked in workspace {chosen}. Its devices:")
    for device in devices:
        typer.echo(f"  {device['device_id']}  {device['device_type']:<18}  {_shown(device['display_name'])}")
    if token is not None:
        typer.echo(f"The workspace is new. An API key for it, shown this once: {token}")


def _workspace(data: Path) -> tuple[str, str | None]:
    """The one workspace that is no sandbox; else a new one, and a key for it."""
    client = Client(data)
    found = [each for each in client.call("/workspaces/list")["workspaces"] if not each["is_sandbox"]]
    if len(found) > 1:
        named = ", ".join(f"{each['workspace_id']} ({_shown(each['name'])})" for each in found)
        _stop(f"there are several workspaces that are no sandboxes: name one by --workspace. {named}")
    if found:
        return str(found[0]["workspace_id"]), None
    made = client.call("/workspaces/create", name=_FIRST, is_sandbox=False)["workspace"]
    chosen = str(made["workspace_id"])
    return chosen, str(Client(data, chosen).call("/thumbturn/keys/create", name="first")["token"])


def _known(client: Client, provider: str) -> dict[str, Any]:
    """The settings of this ecosystem, by their names."""
    providers = client.call("/thumbturn/hubs/list_providers")["hub_providers"]
    for each in providers:
        if each["provider"] == provider:
            return {line["name"]: line for line in each["settings"]}
    _stop(f"there is no {provider}: there are {', '.join(each['provider'] for each in providers)}.")
    return {}


def _settings(
    known: dict[str, Any], address: str | None, given: list[str] | tuple[()], asked: list[str] | tuple[()]
) -> dict[str, str]:
    settings = {} if address is None else {"url": address}
    for each in given:
        name, separator, value = each.partition("=")
        if not separator:
            raise typer.BadParameter(f"{each!r} is not NAME=VALUE", param_hint="--set")
        if known.get(name, {}).get("is_secret"):
            raise typer.BadParameter(
                f"others could read it there: write --secret {name}, and it is asked for", param_hint="--set"
            )
        settings[name] = value
    required = [name for name, line in known.items() if line["is_required"] and line["is_secret"]]
    for name in dict.fromkeys([*asked, *required]):
        label = known.get(name, {}).get("label", name)
        settings[name] = typer.prompt(label, hide_input=True, err=True)
    return settings


def _shown(name: str) -> str:
    """A name is anybody's text: it must not speak to the terminal."""
    return "".join(each if each.isprintable() else "\ufffd" for each in name)


def _stop(reason: str) -> None:
    typer.echo(f"thumbturn: {reason}", err=True)
    raise typer.Exit(1)
