"""Local accounts: who signs in, with which roles, for which agency and places; agencies and what they share.

Passwords are kept as argon2id hashes (parameters of argon2-cffi: RFC 9106, low memory), session tokens as SHA-256.
Every change, sign-in and refusal is a row of the audit book.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sql

from geo_monitor.errors import Denied, Refused, Usage
from geo_monitor.settings import Settings
from geo_monitor.store import audit
from geo_monitor.store.database import milliseconds
from geo_monitor.store.rights import EVERYWHERE, ROLES, Viewer, prefix
from geo_monitor.store.schema import ACCOUNTS, AGENCIES, SESSIONS, SHARES, SQL

if TYPE_CHECKING:
    from argon2 import PasswordHasher

    from geo_monitor.store import Store

SHARED = {  # what may be shared, and the fields a share may hide
    "seizures": ("place", "lon", "lat", "km", "gear", "quantity", "catch_kg", "value_cny", "vessels", "suspects",
                 "disposition", "patrol_id"),
    "patrols": ("persons", "km_from", "km_to"),
    "units": ("mmsi", "name", "base"),
    "positions": ("speed", "heading", "patrol_id"),
}  # fmt: skip
NAME_LENGTH = 64  # characters of a name of an account or agency
PASSWORD_LENGTH = 1024  # characters at most: hashing takes time by length
AT_ONCE = threading.BoundedSemaphore(2)  # passwords judged: each takes 64 MiB
LOOKED_BACK = 2000  # newest rows of the audit book in which refused sign-ins are looked for
SEEN_EVERY_MS = 60_000  # a session notes that it is alive this often, not at every click


@dataclass(frozen=True)
class Session:
    """A sign-in: its secret token, until when it lasts at most, and who it is."""

    token: str
    ends_at: datetime
    viewer: Viewer


@dataclass(frozen=True)
class Share:
    """What one agency lets another see: a table, without the fields hidden."""

    table: str
    from_agency: str
    hidden: tuple[str, ...]


class Accounts:
    """The accounts of one workspace. `who` in its methods is the account that acts, as the audit book names it.

    viewer: who that is; what changes or lists accounts, agencies and shares then asks whether it may, and raises
    `Denied`: `not_allowed`, `sign_in_needed`.
    """

    def __init__(self, store: Store, settings: Settings, viewer: Callable[[], Viewer] | None = None) -> None:
        self._store = store
        self._settings = settings
        self._viewer = viewer

    def _needs(self) -> None:
        """Raises `Denied("not_allowed")` where whoever acts may not manage accounts."""
        if self._viewer is not None:
            self._viewer().needs("accounts")

    # --- signing in -------------------------------------------------------------------------------------------------

    def any(self) -> bool:
        """Whether the workspace has accounts: then everybody signs in."""
        return bool(self._store.once("accounts", lambda: self._store.rows(sql.select(ACCOUNTS.c.name).limit(1))))

    def sign_in(self, name: str, password: str, now: datetime, how: str) -> Session:
        """Checks a password. Raises `Denied`: `sign_in_wrong` (the same for an unknown account), `sign_in_locked`.

        After `sign_in_tries` wrong passwords an account is locked for `sign_in_lock_s`, and a name that is no account
        seems so. A try is counted before it is judged, so that no number of tries at once has more of them, and judged
        outside the transaction, so that imports don't wait for it. Tries while locked add no rows to the audit book,
        those of unknown names `sign_in_rows` a minute.
        """
        at = milliseconds(now)
        name = "".join(c for c in name[:NAME_LENGTH] if c.isprintable())
        mine = ACCOUNTS.c.name == name
        lock_ms = int(self._settings.sign_in_lock_s * 1000)
        with self._store.transaction() as connection:
            held = connection.execute(sql.select(ACCOUNTS).where(mine, ~ACCOUNTS.c.disabled)).one_or_none()
            failed, until = (held.failed, held.locked_until) if held else self._tried(connection, name)
            if until is not None and at < until:
                raise Denied("sign_in_locked", minutes=-(-(until - at) // 60_000))
            locks = failed + 1 >= self._settings.sign_in_tries
            counted = {"failed": 0 if locks else failed + 1, "locked_until": at + lock_ms if locks else None}
            connection.execute(sql.update(ACCOUNTS).where(mine, ~ACCOUNTS.c.disabled).values(**counted))
        # as long for an unknown account as for a real one, so that names can't be found by the clock
        right = _matches((held.password if held else None) or _nobody(), password) and bool(held and held.password)
        with self._store.transaction() as connection:
            now_held = connection.execute(sql.select(ACCOUNTS).where(mine, ~ACCOUNTS.c.disabled)).one_or_none()
            if right and held and now_held and now_held.password == held.password:
                fresh = {"password": _hasher().hash(_word(password))} if _stale(held.password) else {}
                connection.execute(sql.update(ACCOUNTS).where(mine).values(failed=0, locked_until=None, **fresh))
                audit.append(connection, now, name, "sign_in", how)
                return self._session(connection, now_held, now, how)
            told = Denied("sign_in_locked", minutes=-(-lock_ms // 60_000)) if locks else Denied("sign_in_wrong")
            if held or self._room(connection, now, how):
                audit.append(connection, now, name, "sign_in_refused", how, why=told.code)
        raise told  # after the commit: a wrong try must be remembered

    def _refused(self, connection: sql.Connection) -> sql.Select[Any]:
        """The newest rows of the audit book that tell of refused sign-ins: who, at, action."""
        book = SQL["audit"]
        newest = connection.scalar(sql.select(sql.func.max(book.c.row))) or 0
        query = sql.select(book.c.who, book.c.at, book.c.action).where(book.c.row > newest - LOOKED_BACK)
        return query.where(book.c.action.in_(["sign_in_refused", "sign_in_flood"])).order_by(book.c.row)

    def _tried(self, connection: sql.Connection, name: str) -> tuple[int, int | None]:
        """What a name that is no account would have by now: wrong tries, and until when it is locked."""
        failed, until = 0, None
        for row in connection.execute(self._refused(connection).where(SQL["audit"].c.who == name)):
            failed += 1
            if failed >= self._settings.sign_in_tries:
                failed, until = 0, row.at + int(self._settings.sign_in_lock_s * 1000)
        return failed, until

    def _room(self, connection: sql.Connection, now: datetime, how: str) -> bool:
        """Whether the audit book takes another row on an unknown name this minute; the first that it doesn't take, it
        notes as the beginning of a flood."""
        last = SQL["audit"].c.at > milliseconds(now) - 60_000
        rows = [row.action for row in connection.execute(self._refused(connection).where(last))]
        if rows.count("sign_in_refused") < self._settings.sign_in_rows:
            return True
        if "sign_in_flood" not in rows:
            audit.append(connection, now, "geo-monitor", "sign_in_flood", how, rows=len(rows))
        return False

    def sign_in_by(self, identity: str, now: datetime, how: str) -> Session:
        """A sign-in that an identity provider has checked (`identity`: issuer|subject, as given to an account).

        Raises `Denied("identity_unknown")` where no account in force has it.
        """
        with self._store.transaction() as connection:
            held = connection.execute(
                sql.select(ACCOUNTS).where(ACCOUNTS.c.identity == identity, ~ACCOUNTS.c.disabled)
            ).one_or_none()
            if held or self._room(connection, now, how):
                audit.append(connection, now, held.name if held else "?", "sign_in" if held else "sign_in_refused", how,
                             identity=identity[:200])  # fmt: skip
            if held is not None:
                return self._session(connection, held, now, how)
        raise Denied("identity_unknown", identity=identity)

    def _session(self, connection: sql.Connection, held: Any, now: datetime, how: str) -> Session:
        import pandas as pd

        token = secrets.token_urlsafe(32)
        at = milliseconds(now)
        ends = at + int(self._settings.session_h * 3_600_000)
        connection.execute(sql.delete(SESSIONS).where(SESSIONS.c.ends_at <= at))
        row = {"token": _digest(token), "account": held.name, "made_at": at, "seen_at": at, "ends_at": ends, "how": how}
        connection.execute(sql.insert(SESSIONS).values(**row))
        return Session(token, pd.Timestamp(ends, unit="ms", tz="UTC").to_pydatetime(), _viewer(held))

    def viewer(self, token: str, now: datetime) -> Viewer:
        """Who a token belongs to. Raises `Denied("session_over")`: ended, idle too long, or its account changed."""
        at = milliseconds(now)
        query = sql.select(SESSIONS, ACCOUNTS).join_from(SESSIONS, ACCOUNTS, SESSIONS.c.account == ACCOUNTS.c.name)
        found = self._store.rows(query.where(SESSIONS.c.token == _digest(token), ~ACCOUNTS.c.disabled))
        if not found:
            raise Denied("session_over")
        held = found[0]
        idle = held.seen_at + int(self._settings.session_idle_s * 1000)
        if at >= held.ends_at or at >= idle:
            self.sign_out(token)
            raise Denied("session_over")
        if at - held.seen_at >= SEEN_EVERY_MS:
            with self._store.transaction() as connection:
                mine = SESSIONS.c.token == held.token
                connection.execute(sql.update(SESSIONS).where(mine).values(seen_at=at))
        return _viewer(held)

    def looking(self, now: datetime) -> list[Viewer]:
        """Whose sessions have not ended, those seen last first; an account once for each of its sessions."""
        query = sql.select(ACCOUNTS).join_from(SESSIONS, ACCOUNTS, SESSIONS.c.account == ACCOUNTS.c.name)
        open_ = query.where(SESSIONS.c.ends_at > milliseconds(now), ~ACCOUNTS.c.disabled)
        return [_viewer(held) for held in self._store.rows(open_.order_by(SESSIONS.c.seen_at.desc()))]

    def sign_out(self, token: str) -> None:
        """Ends a session; one that has ended is fine."""
        with self._store.transaction() as connection:
            connection.execute(sql.delete(SESSIONS).where(SESSIONS.c.token == _digest(token)))

    # --- accounts ---------------------------------------------------------------------------------------------------

    def add(
        self,
        name: str,
        password: str | None,
        roles: Sequence[str],
        agency: str | None,
        adcodes: Sequence[str],
        now: datetime,
        who: str,
        identity: str | None = None,
    ) -> None:
        """Makes an account. adcodes: the areas it answers for; none means those of its agency.

        Raises `Usage`: `account_name_bad`, `role_unknown`, `adcode_bad`, `agency_unknown`, `password_or_identity`;
        `Refused`: `account_there`, `first_account_admin`, `password_weak`.
        """
        self._needs()
        if not name.strip() or name != name.strip() or len(name) > NAME_LENGTH or not name.isprintable():
            raise Usage("account_name_bad", name=name[:NAME_LENGTH])
        if password is None and identity is None:
            raise Usage("password_or_identity")
        areas = self._areas(agency, adcodes)
        _check_roles(roles)
        hashed = None if password is None else self._hashed(name, password)
        with self._store.transaction() as connection:
            if connection.scalar(sql.select(ACCOUNTS.c.name).where(ACCOUNTS.c.name == name)):
                raise Refused("account_there", name=name)
            if connection.scalar(sql.select(ACCOUNTS.c.name).limit(1)) is None and "admin" not in roles:
                raise Refused("first_account_admin")
            row = {
                "name": name, "password": hashed, "identity": identity, "roles": json.dumps(sorted(roles)),
                "agency": agency, "adcodes": json.dumps(areas), "disabled": False, "failed": 0, "locked_until": None,
                "made_at": milliseconds(now),
            }  # fmt: skip
            connection.execute(sql.insert(ACCOUNTS).values(**row))
            audit.append(connection, now, who, "account_add", name, roles=sorted(roles), agency=agency, adcodes=areas)
        self._store.account_changed(name)

    def change(
        self,
        name: str,
        now: datetime,
        who: str,
        password: str | None = None,
        roles: Sequence[str] | None = None,
        adcodes: Sequence[str] | None = None,
        disabled: bool | None = None,
        unlock: bool = False,
    ) -> None:
        """Changes an account and ends its sessions. The last account that may make accounts keeps that role.

        Raises `Usage`: `account_unknown`, `role_unknown`, `adcode_bad`; `Refused`: `last_admin`, `password_weak`.
        """
        own = password is not None and roles is adcodes is disabled is None and not unlock
        if self._viewer is None or not own or self._viewer().account != name:  # one's own password is one's own
            self._needs()
        values: dict[str, Any] = {}
        if password is not None:
            values |= {"password": self._hashed(name, password), "failed": 0, "locked_until": None}
        if roles is not None:
            _check_roles(roles)
            values["roles"] = json.dumps(sorted(roles))
        if adcodes is not None:
            values["adcodes"] = json.dumps(self._areas(None, adcodes))
        if disabled is not None:
            values["disabled"] = disabled
        if unlock:
            values |= {"failed": 0, "locked_until": None}
        with self._store.transaction() as connection:
            mine = ACCOUNTS.c.name == name
            if connection.execute(sql.select(ACCOUNTS).where(mine)).one_or_none() is None:
                raise Usage("account_unknown", name=name)
            connection.execute(sql.update(ACCOUNTS).where(mine).values(**values))
            rest = connection.execute(sql.select(ACCOUNTS.c.roles).where(~ACCOUNTS.c.disabled))
            if not any("admin" in json.loads(row.roles) for row in rest):
                raise Refused("last_admin", name=name)
            connection.execute(sql.delete(SESSIONS).where(SESSIONS.c.account == name))
            told = {key: value for key, value in values.items() if key not in ("password", "failed", "locked_until")}
            told |= {"password": "changed"} if password is not None else {}
            told |= {"unlocked": True} if unlock else {}
            audit.append(connection, now, who, "account_change", name, **told)
        self._store.account_changed(name)

    def every(self) -> list[dict[str, Any]]:
        """Every account, without its password: name, roles, agency, adcodes, state, identity."""
        self._needs()
        made = []
        for row in self._store.rows(sql.select(ACCOUNTS).order_by(ACCOUNTS.c.name)):
            made.append({
                "name": row.name, "roles": json.loads(row.roles), "agency": row.agency,
                "adcodes": json.loads(row.adcodes), "disabled": bool(row.disabled),
                "locked_until": row.locked_until, "identity": row.identity,
            })  # fmt: skip
        return made

    # --- agencies and shares ----------------------------------------------------------------------------------------

    def agencies(self, areas: Sequence[str] | None = None) -> list[tuple[str, str]]:
        """(name, adcode) of every registered agency, or of those inside `areas` (adcodes)."""
        query = sql.select(AGENCIES).order_by(AGENCIES.c.name)
        if areas is not None:
            query = query.where(sql.or_(sql.false(), *(AGENCIES.c.adcode.startswith(prefix(area)) for area in areas)))
        key = ("agencies", None if areas is None else tuple(areas))
        return [(name, adcode) for name, adcode in self._store.once(key, lambda: self._store.rows(query))]

    def add_agency(self, name: str, adcode: str, now: datetime, who: str) -> None:
        """Registers an agency, or moves it, and with it the accounts that answer for its place alone: name as uploads
        carry it, adcode it answers for. Raises `Usage`: `agency_name_bad`, `adcode_bad`."""
        self._needs()
        if not name.strip() or len(name) > NAME_LENGTH or not name.isprintable():
            raise Usage("agency_name_bad", name=name[:NAME_LENGTH])
        _check_adcodes([adcode])
        with self._store.transaction() as connection:
            before = connection.scalar(sql.select(AGENCIES.c.adcode).where(AGENCIES.c.name == name))
            if before is not None and before != adcode:
                theirs = (ACCOUNTS.c.agency == name) & (ACCOUNTS.c.adcodes == json.dumps([before]))
                moved = sql.select(ACCOUNTS.c.name).where(theirs).scalar_subquery()
                connection.execute(sql.delete(SESSIONS).where(SESSIONS.c.account.in_(moved)))
                connection.execute(sql.update(ACCOUNTS).where(theirs).values(adcodes=json.dumps([adcode])))
            connection.execute(sql.delete(AGENCIES).where(AGENCIES.c.name == name))
            connection.execute(sql.insert(AGENCIES).values(name=name, adcode=adcode))
            audit.append(connection, now, who, "agency_add", name, adcode=adcode)

    def share(
        self, table: str, from_agency: str, to_agency: str, hidden: Sequence[str], reason: str, now: datetime, who: str
    ) -> int:
        """Lets another agency see the rows of a table, without the fields `hidden`. Gives the share's number.

        Raises `Usage`: `share_table`, `share_field`, `agency_unknown`, `reason_missing`.
        """
        self._needs()
        if table not in SHARED:
            raise Usage("share_table", table=table, tables=[*SHARED])
        wrong = [name for name in hidden if name not in SHARED[table]]
        if wrong:
            raise Usage("share_field", field=wrong, table=table, fields=[*SHARED[table]])
        if not reason.strip():
            raise Usage("reason_missing")
        known = {name for name, _ in self.agencies()}
        for agency in (from_agency, to_agency):
            if agency not in known:
                raise Usage("agency_unknown", agency=agency)
        with self._store.transaction() as connection:
            row = {"name": table, "from_agency": from_agency, "to_agency": to_agency, "hidden": json.dumps(sorted(hidden)),
                   "reason": reason, "made_at": milliseconds(now), "ended_at": None}  # fmt: skip
            number = connection.execute(sql.insert(SHARES).values(**row).returning(SHARES.c.row)).scalar_one()
            audit.append(connection, now, who, "share", table, number=number, of=from_agency, to=to_agency,
                         hidden=sorted(hidden), reason=reason)  # fmt: skip
        return int(number)

    def end_share(self, number: int, now: datetime, who: str) -> None:
        """Ends a share. Raises `Usage("share_unknown")`."""
        self._needs()
        with self._store.transaction() as connection:
            mine = sql.update(SHARES).where(SHARES.c.row == number, SHARES.c.ended_at.is_(None))
            large = number.bit_length() > 63  # no number of a row, and no number to a database
            if large or not connection.execute(mine.values(ended_at=milliseconds(now))).rowcount:
                raise Usage("share_unknown", number=number)
            audit.append(connection, now, who, "share_end", str(number))

    def shares(self) -> list[dict[str, Any]]:
        """Every share in force: number, table, from, to, hidden, reason."""
        self._needs()
        return self._shares()

    def _shares(self) -> list[dict[str, Any]]:
        query = sql.select(SHARES).where(SHARES.c.ended_at.is_(None)).order_by(SHARES.c.row)
        return [
            {"number": row.row, "table": row.name, "from": row.from_agency, "to": row.to_agency,
             "hidden": json.loads(row.hidden), "reason": row.reason}
            for row in self._store.rows(query)
        ]  # fmt: skip

    def stamp(self) -> str:
        """Changes whenever an agency or a share does."""

        def ask() -> str:
            told = json.dumps([self.agencies(), self._shares()])
            return hashlib.sha256(told.encode()).hexdigest()[:12]

        return self._store.once("shares", ask)

    def shared_with(self, viewer: Viewer, table: str) -> list[Share]:
        """What other agencies let the viewer's agency see of a table."""
        if viewer.agency is None:
            return []
        query = sql.select(SHARES.c.from_agency, SHARES.c.hidden).where(
            SHARES.c.to_agency == viewer.agency, SHARES.c.name == table, SHARES.c.ended_at.is_(None)
        )
        told = self._store.once(
            ("shared", viewer.agency, table), lambda: self._store.rows(query.order_by(SHARES.c.row))
        )
        return [Share(table, row.from_agency, tuple(json.loads(row.hidden))) for row in told]

    def _areas(self, agency: str | None, adcodes: Sequence[str]) -> Sequence[str]:
        _check_adcodes(adcodes)
        known = dict(self.agencies())
        if agency is not None and agency not in known:
            raise Usage("agency_unknown", agency=agency)
        return sorted(set(adcodes)) if adcodes or agency is None else [known[agency]]

    def _hashed(self, name: str, password: str) -> str:
        if len(password) < self._settings.password_length or password.strip().lower() in (name.lower(), ""):
            raise Refused("password_weak", length=self._settings.password_length)
        if len(password) > PASSWORD_LENGTH:
            raise Refused("password_long", length=PASSWORD_LENGTH)
        return _hasher().hash(_word(password))


def _check_roles(roles: Iterable[str]) -> None:
    wrong = [role for role in roles if role not in ROLES]
    if wrong or not list(roles):
        raise Usage("role_unknown", role=wrong, roles=[*ROLES])


def _check_adcodes(adcodes: Iterable[str]) -> None:
    for adcode in adcodes:
        if not (len(adcode) == 6 and adcode.isascii() and adcode.isdigit()):
            raise Usage("adcode_bad", adcode=adcode, everywhere=EVERYWHERE)


def _viewer(held: sql.Row[Any]) -> Viewer:
    return Viewer(held.name, held.agency, tuple(json.loads(held.roles)), tuple(json.loads(held.adcodes)))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher()


@cache
def _nobody() -> str:
    return _hasher().hash(secrets.token_urlsafe(32))


def _stale(hashed: str) -> bool:
    return _hasher().check_needs_rehash(hashed)


def _word(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")


def _matches(hashed: str, password: str) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        with AT_ONCE:
            return _hasher().verify(hashed, _word(password[:PASSWORD_LENGTH])) and len(password) <= PASSWORD_LENGTH
    except (VerificationError, InvalidHashError):
        return False
