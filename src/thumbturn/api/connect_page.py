"""The page on which a person connects an account: what it looks like at each step.

Plain HTML that needs no JavaScript and nothing from any other address. Whatever comes from a request or
from the store is escaped; what a browser may do with the page stands in its policy (``headers_of_page``).
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from urllib.parse import urlsplit

from thumbturn.api.hub_form import HubForm, hub_form
from thumbturn.domain.connect_webview import MOST_TRIES, VIRTUAL, ConnectWebview
from thumbturn.domain.device import Device
from thumbturn.domain.workspace import Workspace

_STYLE = """
:root { --button: #1f6feb; --on-button: #fff; color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 26rem; margin: 3rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; }
form { margin: 1rem 0; }
label { display: block; margin: .75rem 0; }
input[type=email], input[type=password], input[type=text] { display: block; width: 100%;
  box-sizing: border-box; font: inherit; padding: .5rem; margin-top: .25rem; }
button { font: inherit; padding: .55rem 1rem; border: 1px solid #8886; border-radius: 6px; cursor: pointer;
  background: transparent; }
button.primary { background: var(--button); color: var(--on-button); border-color: transparent; }
button.wide { width: 100%; text-align: left; margin: .25rem 0; }
ul { padding-left: 1.2rem; }
.wrong { color: #c62828; }
.quiet { color: #777; font-size: .9rem; }
"""
#: Tells the page that opened or embeds this one how it ended, and nothing more.
_SCRIPT = """
(() => {
  const type = document.body.dataset.event
  const tell = (page) => page && page !== window && page.postMessage({ event: { event_type: type } }, '*')
  if (type) { tell(window.parent); tell(window.opener) }
})()
"""
_NONE: Mapping[str, str] = {}
_COLOR = re.compile(r"#(?:[0-9a-fA-F]{3,4}){1,2}")


def connect_page(
    webview: ConnectWebview,
    workspace: Workspace,
    devices: Sequence[Device],
    titles: Mapping[str, str] = _NONE,
    form: HubForm | None = None,
) -> bytes:
    """The page as it is at the step at which the person stands, UTF-8.

    ``titles`` are what the providers are called whose hubs can be linked; ``form`` is that of the one that
    was chosen.
    """
    if webview.status == "authorized":
        said = workspace.connect_webview_customization.get("success_message") or "You can go on now."
        title, parts = "Connected", [f"<p>{escape(str(said))}</p>", *_names(devices)]
        parts += _onward(webview.wishes.redirect_url)
        return _page(title, parts, workspace, webview, ended="login_succeeded")
    if webview.status == "failed":
        parts = ["<p>No account was connected. Ask for a new link to try again.</p>"]
        parts += _onward(webview.wishes.failure_url)
        return _page("Not connected", parts, workspace, webview, ended="login_failed")
    who = escape(workspace.connect_partner_name or workspace.company_name or workspace.name)
    providers = [each for each in webview.offered if workspace.is_sandbox or each in titles]
    if not providers:
        parts = ["<p>There is nothing here that could be connected yet.</p>", *_BUTTONS_AT_END]
    elif webview.selected_provider is None:
        parts = [f"<p>{who} would like to see and command your devices. Where are they?</p>"]
        parts += [_choice(provider, titles) for provider in providers]
        parts += _BUTTONS_AT_END
    elif webview.signed_in_as is None:
        parts = _sign_in(webview) if form is None else _link(webview, form)
    else:
        parts = _devices(webview, devices, who)
    return _page("Connect your devices", parts, workspace, webview)


def unknown_page() -> bytes:
    """The page for an address that leads nowhere, UTF-8."""
    text = "<p>This link is not valid, or not any more. Ask for a new one.</p>"
    return _document("Nothing here", [text], "", None)


def headers_of_page(page: bytes, webview: ConnectWebview | None) -> list[tuple[bytes, bytes]]:
    """What a browser may do with it: run its own style and script, and post its forms back.

    Where the person is sent afterwards is where the page may be embedded, too; anywhere, if that is not
    said; nowhere, if it is the page of no webview.
    """
    style = page.partition(b"<style>")[2].partition(b"</style>")[0]
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(_SCRIPT.encode())}'",
            "form-action 'self'",
            "base-uri 'none'",
            f"frame-ancestors {_ancestors(webview)}",
        )
    )
    return [
        (b"content-security-policy", policy.encode()),
        # Its address is its key: nobody else learns it from where the person goes next, or from a cache.
        (b"referrer-policy", b"no-referrer"),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]


def _ancestors(webview: ConnectWebview | None) -> str:
    if webview is None:
        return "'none'"
    origins = []
    for url in (webview.wishes.redirect_url, webview.wishes.failure_url):
        parts = urlsplit(url or "")
        # A name that a policy could not hold is no name: the browser would not go there either.
        if parts.scheme in {"http", "https"} and re.fullmatch(r"[A-Za-z0-9.:\[\]_-]+", parts.netloc):
            origins.append(f"{parts.scheme}://{parts.netloc}")
    return " ".join(["'self'", *dict.fromkeys(origins)]) if origins else "*"


def _hash(text: bytes) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text).digest()).decode()


def _choice(provider: str, titles: Mapping[str, str]) -> str:
    name = "Virtual Home" if provider == VIRTUAL else provider.replace("_", " ").title()
    name = titles.get(provider, name)
    button = f'<button class=wide name=provider value="{escape(provider)}">{escape(name)}</button>'
    return f"<form method=post><input type=hidden name=step value=choose>{button}</form>"


def _sign_in(webview: ConnectWebview) -> list[str]:
    left = MOST_TRIES - webview.wrong_tries
    wrong = f"<p class=wrong role=alert>That was not right. You have {left} more.</p>"
    return [
        "<form method=post><input type=hidden name=step value=sign_in>",
        wrong if webview.wrong_tries else "",
        "<label>Mail address <input type=email name=email required autofocus maxlength=254 ",
        "autocomplete=email></label><label>Password <input type=password name=password required ",
        "maxlength=254 autocomplete=current-password></label>",
        "<p class=quiet>This is a sandbox: any mail address will do, and the password is 1234.</p>",
        "<button class=primary>Sign in</button></form>",
        _button("back", "Back"),
        *_BUTTONS_AT_END,
    ]


def _link(webview: ConnectWebview, form: HubForm) -> list[str]:
    left = MOST_TRIES - webview.wrong_tries if webview.wrong_tries else None
    return [*hub_form(form, left), _button("back", "Back"), *_BUTTONS_AT_END]


def _devices(webview: ConnectWebview, devices: Sequence[Device], who: str) -> list[str]:
    mode = webview.wishes.selection_mode
    signed_in_as = escape(webview.signed_in_as or "")
    way = "Signed in as" if webview.hub is None else "This is"
    parts = [f"<p>{way} <b>{signed_in_as}</b>. {who} will see and command:</p>"]
    if mode == "none":
        parts += _names(devices)
    parts.append("<form method=post><input type=hidden name=step value=finish>")
    if mode != "none":
        kind = "radio" if mode == "single" else "checkbox"
        parts += [
            f'<label><input type={kind} name=device value="{escape(device.address)}"> '
            f"{escape(device.display_name)}</label>"
            for device in devices
        ]
    return [
        *parts,
        "<button class=primary>Connect</button></form>",
        _button("back", "Back"),
        *_BUTTONS_AT_END,
    ]


def _names(devices: Iterable[Device]) -> list[str]:
    return ["<ul>", *(f"<li>{escape(device.display_name)}</li>" for device in devices), "</ul>"]


def _button(step: str, label: str) -> str:
    return f"<form method=post><input type=hidden name=step value={step}><button>{label}</button></form>"


_BUTTONS_AT_END = (_button("give_up", "Cancel"),)


def _onward(url: str | None) -> list[str]:
    return [] if url is None else [f'<p><a href="{escape(url)}">Continue</a></p>']


def _page(
    title: str, parts: Iterable[str], workspace: Workspace, webview: ConnectWebview, ended: str | None = None
) -> bytes:
    wishes = webview.wishes
    onward = {"login_succeeded": wishes.redirect_url, "login_failed": wishes.failure_url}.get(ended or "")
    custom = workspace.connect_webview_customization
    colors = (("--button", "primary_button_color"), ("--on-button", "primary_button_text_color"))
    chosen = "".join(
        f"{name}: {custom[key]}; " for name, key in colors if _COLOR.fullmatch(str(custom.get(key, "")))
    )
    style = f":root {{ {chosen}}}\n" if chosen else ""
    return _document(title, parts, style, ended, onward)


def _document(
    title: str, parts: Iterable[str], style: str, ended: str | None, onward: str | None = None
) -> bytes:
    told = "" if ended is None else f" data-event=connect_webview.{ended}"
    refresh = "" if onward is None else f'<meta http-equiv=refresh content="0;url={escape(onward)}">'
    return "".join(
        (
            "<!doctype html><html lang=en><head><meta charset=utf-8>",
            f"<meta name=viewport content='width=device-width'><title>{escape(title)}</title>",
            f"{refresh}<style>{_STYLE}{style}</style></head><body{told}><h1>{escape(title)}</h1>",
            *parts,
            f"<script>{_SCRIPT}</script></body></html>",
        )
    ).encode()
