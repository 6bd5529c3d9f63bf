"""The audit book, as a part of the administration page: its newest rows, the chain, a file of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import streamlit as st

from geo_monitor.app.deck import escaped, plain
from geo_monitor.app.uploads import told
from geo_monitor.app.words import Speaker
from geo_monitor.messages import catalogue, listed, text
from geo_monitor.tables import TIMEZONE

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.store.audit import Verdict
    from geo_monitor.workspace import Workspace

ROWS = 500  # newest rows listed; a download holds all that match
DAYS = (1, 7, 30, 365, 0)  # 0: all


def draw(held: Workspace, speaker: Speaker) -> None:
    """The part. Reads the table `audit`. Raises `Denied("not_allowed")`."""
    rows = held.table("audit")
    if not len(rows):
        st.info(speaker.say("admin_book_empty"))
        return
    _chain(held, str(rows["hash"].iloc[-1]), speaker)
    rows.insert(0, "row", range(1, len(rows) + 1))
    found = _chosen(rows, speaker)
    shown = found.iloc[::-1].head(ROWS)
    counts = {"found": f"{len(found):,}", "rows": f"{len(rows):,}", "shown": f"{len(shown):,}"}
    words, file = st.columns([3, 1], vertical_alignment="center")
    words.caption(speaker.say("admin_shown", **counts))
    file.download_button(
        speaker.say("admin_csv"), lambda: csv(found), "audit.csv", "text/csv", on_click="ignore", width="stretch"
    )
    st.dataframe(_table(shown, speaker), hide_index=True, height=480 if len(shown) > 12 else "auto", key="admin-audit")


def _chosen(rows: pd.DataFrame, speaker: Speaker) -> pd.DataFrame:
    """The rows of the account, action and days chosen."""
    who, action, period = st.columns(3)
    every = [None, *sorted(rows["who"].unique())]
    account = who.selectbox(
        speaker.say("admin_who"),
        every,
        format_func=lambda name: speaker.say("admin_all") if name is None else plain(name),
        key="admin-audit-who",
    )
    what = action.selectbox(
        speaker.say("admin_action"),
        [None, *sorted(rows["action"].unique())],
        format_func=lambda name: speaker.say("admin_all") if name is None else _action(name, speaker),
        key="admin-audit-action",
    )
    days = period.selectbox(
        speaker.say("admin_days"),
        DAYS,
        index=2,
        format_func=lambda number: speaker.say(f"admin_days_{number}"),
        key="admin-audit-days",
    )
    if account is not None:
        rows = rows[rows["who"] == account]
    if what is not None:
        rows = rows[rows["action"] == what]
    return rows[rows["at"] >= datetime.now(UTC) - timedelta(days=days)] if days else rows


def _action(name: str, speaker: Speaker) -> str:
    return _known(f"admin_act_{name}", speaker) or plain(name)


def _table(rows: pd.DataFrame, speaker: Speaker) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({
        speaker.say("admin_row"): rows["row"].to_numpy(),
        speaker.say("admin_at"): rows["at"].dt.tz_convert(TIMEZONE).dt.strftime("%Y-%m-%d %H:%M:%S").to_numpy(),
        speaker.say("admin_who"): [plain(name) for name in rows["who"]],
        speaker.say("admin_action"): [_action(name, speaker) for name in rows["action"]],
        speaker.say("admin_subject"): [
            _subject(action, subject, speaker) for action, subject in zip(rows["action"], rows["subject"], strict=True)
        ],
        speaker.say("admin_detail"): [plain(_detail(told, speaker)) for told in rows["detail"]],
    })  # fmt: skip


def _detail(cell: Any, speaker: Speaker) -> str:
    r"""The detail of a row, which is JSON, in words; what has none stands as it is.

    >>> _detail('{"agency": null, "roles": "[\\"admin\\"]", "disabled": true, "odd": 1}', Speaker("en"))
    'roles: administrator; closed: yes; odd: 1'
    """
    if not isinstance(cell, str):
        return ""
    parts = []
    for name, value in json.loads(cell).items():
        if value is None or value == []:
            continue
        held = json.loads(value) if name in ("roles", "adcodes") and isinstance(value, str) else value
        words = [_word(name, one, speaker) for one in (held if isinstance(held, list) else [held])]
        label = _known(f"admin_key_{name}", speaker) or name
        parts.append(label + ("：" if speaker.lang == "zh" else ": ") + listed(words, speaker.lang))
    return ("；" if speaker.lang == "zh" else "; ").join(parts)


def _word(name: str, value: Any, speaker: Speaker) -> str:
    """One value of a detail."""
    if isinstance(value, bool):
        return speaker.say("admin_yes" if value else "admin_no")
    code = {"roles": "admin_role_{}", "hidden": "admin_field_{}", "status": "status_{}_short", "why": "admin_why_{}",
            "password": "admin_word_{}"}.get(name, "")  # fmt: skip
    return (_known(code.format(value), speaker) if code else None) or str(value)


def _subject(action: str, subject: Any, speaker: Speaker) -> str:
    """What a row is about: a table or a way to sign in by its words, else as it is."""
    code = {"share": "admin_table_{}", "sign_in": "admin_how_{}", "sign_in_refused": "admin_how_{}"}.get(action)
    return (_known(code.format(subject).replace(" ", "_"), speaker) if code else None) or plain(subject)


def _known(code: str, speaker: Speaker) -> str | None:
    return speaker.say(code) if f"app.{code}" in catalogue() else None


def csv(rows: pd.DataFrame) -> bytes:
    """Rows of the audit book as exports write them: UTF-8 with BOM, nothing that a spreadsheet would run."""
    from geo_monitor.export import cells

    return cells(rows).to_csv(index=False, lineterminator="\n").encode("utf-8-sig")


# --- the chain ------------------------------------------------------------------------------------------------------


def _chain(held: Workspace, head: str, speaker: Speaker) -> None:
    """The present head, and whether every row fits."""
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(speaker.say("admin_head_now"))
        st.code(head, language=None, wrap_lines=True)
    with right, st.form("admin-chain"):
        kept = st.text_input(speaker.say("admin_head_kept"), key="admin-head", max_chars=64, autocomplete="off")
        asked = st.form_submit_button(speaker.say("admin_verify_book"), type="primary")
    if asked:
        with told(speaker), st.spinner(speaker.say("admin_verifying")):
            kept = kept.strip().lower()
            _verdict(held.verify_audit(kept or None), kept, speaker)


def _verdict(found: Verdict, kept: str, speaker: Speaker) -> None:
    if found.broken is not None:
        st.error(escaped(text("audit.broken", speaker.lang, row=found.broken, rows=found.rows)))
    if found.head_found is False:
        st.error(escaped(text("audit.cut", speaker.lang, head=kept, rows=found.rows)))
    if found.ok:
        st.success(escaped(text("audit.ok", speaker.lang, rows=found.rows, head=found.head)).replace("\n", "  \n"))
