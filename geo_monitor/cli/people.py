"""Commands about people: signing in, accounts, agencies and what they share, the audit book, names in reports."""

from __future__ import annotations

import getpass
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from geo_monitor.cli.console import console
from geo_monitor.errors import Denied, Usage
from geo_monitor.messages import listed

if TYPE_CHECKING:
    from geo_monitor.store.rights import Viewer
    from geo_monitor.workspace import Workspace

PASSWORD = "GEO_MONITOR_PASSWORD"  # noqa: S105  the name of a variable

accounts = typer.Typer(no_args_is_help=True)
agencies = typer.Typer(no_args_is_help=True)
shares = typer.Typer(no_args_is_help=True)
audit = typer.Typer(no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json")]
Name = Annotated[str, typer.Argument(metavar="NAME")]


def opened() -> Workspace:
    """The workspace, as whoever is signed in may use it: --account with a password, else the session of `login`."""
    from geo_monitor.workspace import Workspace

    workspace = Workspace(console.workspace)
    fallen = workspace.fallen
    if workspace.accounts.any():
        workspace = Workspace(console.workspace, _viewer(workspace))
    if fallen and "keep" in workspace.viewer.rights:  # it names somebody's file
        console.say(console(fallen.code, **fallen.params))
    return workspace


def _viewer(workspace: Workspace) -> Viewer:
    now = datetime.now(UTC)
    if console.as_owner:
        return workspace.owner()
    if console.account:
        session = workspace.accounts.sign_in(console.account, _password(), now, "command line")
        workspace.accounts.sign_out(session.token)  # for this one command
        return session.viewer
    token = _sessions().get(str(workspace.root.resolve()))
    if token is None:
        raise Denied("sign_in_needed")
    return workspace.accounts.viewer(token, now)


def _password() -> str:
    """Of GEO_MONITOR_PASSWORD, of the terminal (asked without showing it), or a line of stdin."""
    told = os.environ.pop(PASSWORD, None)  # what this starts has no need of it
    if told:
        return told
    if not sys.stdin.isatty():
        line = sys.stdin.readline()
        if not line:
            raise Denied("password_missing", variable=PASSWORD)
        return line.rstrip("\r\n")
    return getpass.getpass(console("password.ask"))


# --- signing in -----------------------------------------------------------------------------------------------------


def _session_file() -> Path:
    import platformdirs

    return Path(platformdirs.user_state_dir("geo-monitor", appauthor=False)) / "sessions.json"


def _sessions() -> dict[str, str]:
    path = _session_file()
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _keep_session(root: Path, token: str | None) -> None:
    from geo_monitor.store import files

    path = _session_file()
    held = _sessions()
    held.pop(str(root.resolve()), None)
    if token is not None:
        held[str(root.resolve())] = token
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.replacing(path) as temporary:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # a token is as good as a password
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump(held, out)


def login(name: Name, as_json: Json = False) -> None:
    from geo_monitor.workspace import Workspace

    console.json |= as_json
    workspace = Workspace(console.workspace)
    if not workspace.accounts.any():
        raise Usage("no_accounts")
    session = workspace.accounts.sign_in(name, _password(), datetime.now(UTC), "command line")
    _keep_session(workspace.root, session.token)
    until = session.ends_at.astimezone().isoformat(timespec="minutes")
    told = {**_told(session.viewer), "until": until}
    console.result(told, [console("login.done", account=name, until=until)])


def logout(as_json: Json = False) -> None:
    from geo_monitor.workspace import Workspace

    console.json |= as_json
    workspace = Workspace(console.workspace)
    token = _sessions().get(str(workspace.root.resolve()))
    if token is not None:
        workspace.accounts.sign_out(token)
        _keep_session(workspace.root, None)
    console.result({"signed_out": token is not None}, [console("logout.done")])


def whoami(as_json: Json = False) -> None:
    console.json |= as_json
    told = _told(opened().viewer)
    lines = console.table([(console(f"account.{name}"), _plain(value)) for name, value in told.items()])
    console.result(told, lines)


def _told(viewer: Viewer) -> dict[str, Any]:
    return {
        "account": viewer.account,
        "agency": viewer.agency,
        "roles": list(viewer.roles),
        "adcodes": list(viewer.adcodes),
    }


def _plain(value: Any) -> str:
    return listed(value, console.lang) if isinstance(value, list) else str(value if value is not None else "")


# --- accounts -------------------------------------------------------------------------------------------------------


def _administrator(as_json: bool) -> Workspace:
    console.json |= as_json
    workspace = opened()
    workspace.viewer.needs("accounts")
    return workspace


Role = Annotated[list[str], typer.Option("--role")]
Adcode = Annotated[list[str] | None, typer.Option("--adcode")]


@accounts.command("add")
def accounts_add(
    name: Name,
    role: Role,
    agency: Annotated[str | None, typer.Option("--agency")] = None,
    adcode: Adcode = None,
    identity: Annotated[str | None, typer.Option("--identity")] = None,
    as_json: Json = False,
) -> None:
    workspace = _administrator(as_json)
    password = None if identity else _new_password()
    workspace.accounts.add(
        name, password, role, agency, adcode or [], datetime.now(UTC), workspace.viewer.account, identity
    )
    console.result({"account": name, "roles": role, "agency": agency}, [console("accounts.added", account=name)])


@accounts.command("change")
def accounts_change(
    name: Name,
    role: Annotated[list[str] | None, typer.Option("--role")] = None,
    adcode: Adcode = None,
    password: Annotated[bool, typer.Option("--password")] = False,
    disable: Annotated[bool, typer.Option("--disable")] = False,
    enable: Annotated[bool, typer.Option("--enable")] = False,
    unlock: Annotated[bool, typer.Option("--unlock")] = False,
    as_json: Json = False,
) -> None:
    console.json |= as_json
    workspace = opened()
    own = name == workspace.viewer.account and password and not (role or adcode or disable or enable or unlock)
    if not own:  # everybody may change their own password
        workspace.viewer.needs("accounts")
    if not (role or adcode or password or disable or enable or unlock):
        raise Usage("nothing_to_change")
    state = True if disable else False if enable else None
    told = _new_password() if password else None
    who = workspace.viewer.account
    workspace.accounts.change(name, datetime.now(UTC), who, told, role or None, adcode, state, unlock)
    console.result({"account": name}, [console("accounts.changed", account=name)])


@accounts.command("list")
def accounts_list(as_json: Json = False) -> None:
    workspace = _administrator(as_json)
    held = workspace.accounts.every()
    lines = []
    for one in held:
        state = console("account.disabled") if one["disabled"] else ""
        told = [listed(one["roles"], console.lang), one["agency"] or "", " ".join(one["adcodes"]), state]
        lines.append((one["name"], "  ".join(part for part in told if part)))
    console.result({"accounts": held}, console.table(lines))


def _new_password() -> str:
    """A new password comes from the terminal or stdin, never from the variable with which the caller signs in."""
    if sys.stdin.isatty():
        first = getpass.getpass(console("password.new"))
        if getpass.getpass(console("password.again")) != first:
            raise Usage("password_differs")
        return first
    line = sys.stdin.readline()
    if not line:
        raise Usage("password_new_missing")
    return line.rstrip("\r\n")


# --- agencies and shares --------------------------------------------------------------------------------------------


@agencies.command("add")
def agencies_add(name: Name, adcode: Annotated[str, typer.Option("--adcode")], as_json: Json = False) -> None:
    workspace = _administrator(as_json)
    workspace.accounts.add_agency(name, adcode, datetime.now(UTC), workspace.viewer.account)
    console.result({"agency": name, "adcode": adcode}, [console("agencies.added", agency=name, adcode=adcode)])


@agencies.command("list")
def agencies_list(as_json: Json = False) -> None:
    console.json |= as_json
    workspace = opened()
    held = workspace.accounts.agencies()
    told = [{"agency": name, "adcode": adcode} for name, adcode in held]
    console.result({"agencies": told}, console.table(held))


@shares.command("add")
def shares_add(
    table: Annotated[str, typer.Argument(metavar="TABLE")],
    from_agency: Annotated[str, typer.Option("--from")],
    to_agency: Annotated[str, typer.Option("--to")],
    reason: Annotated[str, typer.Option("--reason")],
    hide: Annotated[str, typer.Option("--hide")] = "",
    as_json: Json = False,
) -> None:
    workspace = _administrator(as_json)
    hidden = [name.strip() for name in hide.replace("，", ",").split(",") if name.strip()]
    who = workspace.viewer.account
    number = workspace.accounts.share(table, from_agency, to_agency, hidden, reason, datetime.now(UTC), who)
    told = console("shares.added", number=number, table=table, giver=from_agency, taker=to_agency)
    console.result({"share": number, "table": table, "hidden": hidden}, [told])


@shares.command("list")
def shares_list(as_json: Json = False) -> None:
    workspace = _administrator(as_json)
    held = workspace.accounts.shares()
    lines = [
        (str(s["number"]), f"{s['table']}: {s['from']} → {s['to']}  -{', '.join(s['hidden'])}  {s['reason']}")
        for s in held
    ]
    console.result({"shares": held}, console.table(lines))


@shares.command("end")
def shares_end(number: Annotated[int, typer.Argument(metavar="NUMBER")], as_json: Json = False) -> None:
    workspace = _administrator(as_json)
    workspace.accounts.end_share(number, datetime.now(UTC), workspace.viewer.account)
    console.result({"share": number, "ended": True}, [console("shares.ended", number=number)])


# --- the audit book, names ------------------------------------------------------------------------------------------


@audit.command("verify")
def audit_verify(head: Annotated[str | None, typer.Option("--head")] = None, as_json: Json = False) -> None:
    console.json |= as_json
    found = opened().verify_audit(head)
    told = {"ok": found.ok, "rows": found.rows, "head": found.head, "broken_row": found.broken,
            "head_found": found.head_found}  # fmt: skip
    if found.broken is not None:
        line = console("audit.broken", row=found.broken, rows=found.rows)
    elif found.head_found is False:
        line = console("audit.cut", head=head, rows=found.rows)
    else:
        line = console("audit.ok", rows=found.rows, head=found.head)
    console.result(told, [line])
    raise typer.Exit(0 if found.ok else 3)


@audit.command("head")
def audit_head(as_json: Json = False) -> None:
    console.json |= as_json
    found = opened().verify_audit()
    console.result({"head": found.head, "rows": found.rows}, [found.head])


def persons(
    report: Annotated[str, typer.Argument(metavar="REPORT")],
    reason: Annotated[str, typer.Option("--reason")],
    as_json: Json = False,
) -> None:
    console.json |= as_json
    found = opened().names(report, reason)
    lines = [(one["part"], f"{one['name']}  {one['pseudonym']}  {one['agency'] or ''}") for one in found]
    console.result({"report_id": report, "names": found}, [*console.table(lines), console("names.recorded")])


def join(app: typer.Typer) -> None:
    """Puts the commands of this file into the program."""
    for name, function in (("login", login), ("logout", logout), ("whoami", whoami), ("persons", persons)):
        app.command(name)(function)
    for name, group in (("accounts", accounts), ("agencies", agencies), ("shares", shares), ("audit", audit)):
        app.add_typer(group, name=name)
