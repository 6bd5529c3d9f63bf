"""Names of people: kept sealed, shown only to a role that needs them, each look recorded.

Everybody sees a pseudonym, the same for the same name: HMAC-SHA-256 (RFC 2104) under a key that lies outside the
database. The name itself is sealed with Fernet (AES-128-CBC and HMAC-SHA-256) under a second key drawn from the same
secret by HKDF (RFC 5869). Without the key file the database says nothing of who was involved.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import unicodedata
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sql

from geo_monitor.errors import GeoMonitorError, Refused, Usage
from geo_monitor.store import audit, files
from geo_monitor.store.database import in_force
from geo_monitor.store.schema import SQL

if TYPE_CHECKING:
    import pandas as pd
    from cryptography.fernet import Fernet

    from geo_monitor.store import Store
    from geo_monitor.store.rights import Viewer

VARIABLE = "GEO_MONITOR_KEY_FILE"


class Sealer:
    """Turns names into pseudonyms and sealed bytes, and back.

    >>> sealer = Sealer(bytes(32))
    >>> sealer.pseudonym(" 张 三 ") == sealer.pseudonym("张三"), sealer.pseudonym("张三") == sealer.pseudonym("李四")
    (True, False)
    >>> sealer.opened(sealer.sealed("张三"))
    '张三'
    """

    def __init__(self, secret: bytes) -> None:
        self._mark = _drawn(secret, b"pseudonym")
        self._secret = secret

    def pseudonym(self, name: str) -> str:
        """The same for the same name, however it is spaced: P- and 60 bits in base 32."""
        plain = "".join(unicodedata.normalize("NFKC", name).split()).lower()
        made = hmac.new(self._mark, plain.encode(), hashlib.sha256).digest()
        return "P-" + base64.b32encode(made).decode()[:12]

    def sealed(self, name: str) -> bytes:
        return self._fernet().encrypt(name.encode())

    def opened(self, sealed: bytes) -> str:
        """The name again. Raises `GeoMonitorError("names_other_key")` where it was sealed with another key."""
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet().decrypt(sealed).decode()
        except InvalidToken:
            raise GeoMonitorError("names_other_key") from None

    def _fernet(self) -> Fernet:
        from cryptography.fernet import Fernet

        return Fernet(base64.urlsafe_b64encode(_drawn(self._secret, b"seal")))


def _drawn(secret: bytes, purpose: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"geo_monitor " + purpose).derive(secret)


def key_file(store: Store) -> Path:
    """Where the key of a workspace lies: GEO_MONITOR_KEY_FILE, else in the user's data folder, by workspace."""
    import platformdirs

    told = os.environ.get(VARIABLE)
    if told:
        return Path(told)
    return Path(platformdirs.user_data_dir("geo-monitor", appauthor=False)) / "keys" / f"{store.workspace_id}.key"


def sealer(store: Store) -> Sealer:
    """The sealer of a workspace; its key is made when the first name comes in.

    Raises `GeoMonitorError("names_key_missing")` where names are held and the key file is not there.
    """
    path = key_file(store)
    if not path.exists():
        if store.rows(sql.select(SQL["persons"].c.row).limit(1)):
            raise GeoMonitorError("names_key_missing", file=str(path))
        path.parent.mkdir(parents=True, exist_ok=True)
        with files.replacing(path) as temporary:
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as out:
                out.write(secrets.token_hex(32) + "\n")
    return Sealer(bytes.fromhex(path.read_text(encoding="ascii").strip()))


def sealed(store: Store, names: pd.DataFrame) -> pd.DataFrame:
    """Rows of table `persons` from names as sent (report_id, agency, version, part, name)."""
    with_key = sealer(store)
    told = names["name"].tolist()
    made = names.drop(columns="name")
    return made.assign(
        pseudonym=[with_key.pseudonym(name) for name in told], sealed=[with_key.sealed(name) for name in told]
    )


def reveal(
    store: Store, viewer: Viewer, report_id: str, reason: str, now: datetime, agencies: Any = None
) -> list[dict[str, Any]]:
    """The names in a report: part, name, pseudonym, agency. The look is recorded before anything is shown.

    agencies: those whose rows the viewer sees (None: all). Raises `Denied("not_allowed")`, `Usage("reason_missing")`,
    `Refused("no_names")`.
    """
    viewer.needs("persons")
    if not reason.strip():
        raise Usage("reason_missing")
    persons = SQL["persons"]
    held = sql.select(SQL["receipts"].c.receipt_id).where(in_force(None))
    query = sql.select(persons).where(persons.c.report_id == report_id, persons.c.receipt_id.in_(held))
    if agencies is not None:
        query = query.where(persons.c.agency.in_(sorted(agencies)))
    rows = store.rows(query.order_by(persons.c.version.desc(), persons.c.row))
    newest = {row.agency: row.version for row in reversed(rows)}
    rows = [row for row in rows if row.version == newest[row.agency]]
    with store.transaction() as connection:
        audit.append(connection, now, viewer.account, "names", report_id, reason=reason, shown=len(rows))
    if not rows:
        raise Refused("no_names", report_id=report_id)
    with_key = sealer(store)
    return [
        {"part": row.part, "name": with_key.opened(row.sealed), "pseudonym": row.pseudonym, "agency": row.agency}
        for row in rows
    ]
