"""How the workspace is, as a part of the administration page: newest data, checks, room on the disk, backups."""

from __future__ import annotations

import html
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import streamlit as st

from geo_monitor.app.administration import forms
from geo_monitor.app.deck import escaped, plain
from geo_monitor.app.uploads import told
from geo_monitor.app.words import Speaker, moment
from geo_monitor.messages import hint, text
from geo_monitor.tables import TIMEZONE
from geo_monitor.times import shanghai_date

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.cli.doctor import Finding
    from geo_monitor.store.verify import Verdict
    from geo_monitor.workspace import Workspace

FOLDERS = ("positions", "raw", "quarantine", "runs", "basemaps", "derived", "faults")  # what else there is: "other"
CHECKED = "admin-checked"  # the key under which the session keeps the last findings
WORST = ("broken", "look", "fine")


def draw(held: Workspace, speaker: Speaker) -> None:
    """The part. Reads the table `audit` and files of the workspace. Raises `Denied("not_allowed")`."""
    held.viewer.needs("keep", "audit")
    rows = held.table("audit") if "audit" in held.viewer.rights else None
    _newest(held.root, rows, speaker)
    left, right = st.columns([1.4, 1], gap="medium")
    with left:
        forms.heading(speaker.say("admin_check"))
        _check(held.root, speaker)
        forms.heading(speaker.say("admin_verify"))
        _verify(held, speaker)
    with right:
        forms.heading(speaker.say("admin_disk"))
        _disk(held, speaker)
        forms.heading(speaker.say("admin_backup"))
        _backup(held.root, rows, speaker)


# --- how fresh ------------------------------------------------------------------------------------------------------


def _newest(root: Path, rows: pd.DataFrame | None, speaker: Speaker) -> None:
    """When something came last: uploads and analyses by the audit book, fixes by their files."""
    import pandas as pd

    told_: dict[str, Any] = {"admin_newest_fix": newest_fix(str(root))}
    if rows is not None:
        taken = rows[(rows["action"] == "import") & rows["detail"].str.contains('"accepted', na=False)]
        told_ = {
            "admin_newest_import": taken["at"].max(),
            **told_,
            "admin_newest_run": rows.loc[rows["action"] == "analyse", "at"].max(),
        }
    now = pd.Timestamp.now(tz="UTC")
    for column, (code, at) in zip(st.columns(len(told_)), told_.items(), strict=True):
        there = at is not None and at == at
        column.metric(
            speaker.say(code),
            moment(at) if there else speaker.say("admin_never"),
            age(now - at, speaker) if there else None,
            delta_color="off",
            delta_arrow="off",
        )


def age(since: Any, speaker: Speaker) -> str:
    """How long ago, in the coarsest unit that says it.

    >>> import pandas as pd
    >>> [age(pd.Timedelta(hours=h), Speaker("en")) for h in (-1, 0.5, 30, 100)]
    ["ahead of this computer's clock", '30 minutes ago', '30 hours ago', '4 days ago']
    """
    minutes = since.total_seconds() / 60
    if minutes < 0:
        return speaker.say("admin_age_ahead")
    if minutes < 60:
        return speaker.say("admin_age_minutes", n=int(minutes))
    if minutes < 48 * 60:
        return speaker.say("admin_age_hours", n=int(minutes // 60))
    return speaker.say("admin_age_days", n=int(minutes // 1440))


@st.cache_resource(ttl=60, max_entries=16, show_spinner=False)
def newest_fix(root: str) -> pd.Timestamp | None:
    """The time of the newest fix held (withdrawn ones too), by the statistics of the files of its day."""
    import pandas as pd

    from geo_monitor.store import positions

    newest = positions.newest(Path(root) / "positions", None)
    return None if newest is None else pd.Timestamp(newest, unit="ms", tz="UTC")


# --- checks ---------------------------------------------------------------------------------------------------------


def _check(root: Path, speaker: Speaker) -> None:
    from geo_monitor.cli.doctor import examine

    st.caption(speaker.say("admin_check_say"))
    if st.button(speaker.say("admin_check"), key="admin-check"):
        with told(speaker), st.spinner(speaker.say("admin_checking")):
            st.session_state[CHECKED] = (datetime.now(UTC), examine(root))
    if CHECKED in st.session_state:
        import pandas as pd

        at, findings = st.session_state[CHECKED]
        count = {state: sum(one.state == state for one in findings) for state in WORST}
        st.caption(
            speaker.say("admin_checked", at=moment(pd.Timestamp(at)), broken=count["broken"], look=count["look"])
        )
        st.html("".join(line(one, speaker) for one in sorted(findings, key=lambda one: WORST.index(one.state))))


def line(found: Finding, speaker: Speaker) -> str:
    """A finding of `doctor` as HTML: state, sentence, and what to do."""
    state = html.escape(text(f"doctor.state.{found.state}", speaker.lang))
    words = html.escape(plain(text(found.code, speaker.lang, **found.params)))
    todo = hint(found.code, speaker.lang, **found.params)
    more = f"<div>{html.escape(plain(todo))}</div>" if todo else ""
    return f'<div class="check {found.state}"><b>{state}</b>{words}{more}</div>'


def _verify(held: Workspace, speaker: Speaker) -> None:
    st.caption(speaker.say("admin_verify_say"))
    with st.form("admin-verify"):
        kept = st.text_input(speaker.say("admin_head_kept"), key="admin-verify-head", max_chars=64, autocomplete="off")
        asked = st.form_submit_button(speaker.say("admin_verify"))
    if asked:
        with told(speaker), st.spinner(speaker.say("admin_verifying")):
            bar = st.progress(0.0)

            def tell(_: str, share: float) -> None:
                bar.progress(min(max(share, 0.0), 1.0))

            found = held.verify(kept.strip().lower() or None, tell)
            bar.empty()
            _found(found, speaker)


def _found(found: Verdict, speaker: Speaker) -> None:
    import pandas as pd

    if found.troubles:
        words = [text(f"verify.{one.code}", speaker.lang, **one.params) for one in found.troubles]
        told_ = [text("verify.wrong", speaker.lang, count=len(words)), text("verify.wrong.hint", speaker.lang)]
        st.error(escaped(told_[0]))
        st.dataframe(pd.DataFrame({speaker.say("admin_detail"): [plain(one) for one in words]}), hide_index=True)
        st.info(escaped(told_[1]))
    else:
        st.success(escaped(text("verify.fine", speaker.lang)))
    looked = [f"{text(f'verify.looked.{name}', speaker.lang)} {n:,}" for name, n in found.looked.items()]
    st.caption(escaped(("，" if speaker.lang == "zh" else ", ").join(looked)))


# --- room and backups -----------------------------------------------------------------------------------------------


@st.cache_resource(ttl=60, max_entries=16, show_spinner=False)
def sizes(root: str) -> dict[str, tuple[int, int]]:
    """folder -> (files, bytes) of the workspace in `root`; what lies in none of `FOLDERS` is "other"."""
    found = dict.fromkeys((*FOLDERS, "other"), (0, 0))
    for path in Path(root).rglob("*"):
        try:
            if not path.is_file():
                continue
            size = path.stat().st_size
        except FileNotFoundError:  # a temporary file that has been renamed meanwhile
            continue
        part = path.relative_to(root).parts[0]
        name = part if part in FOLDERS else "other"
        files, held = found[name]
        found[name] = (files + 1, held + size)
    return found


def _disk(held: Workspace, speaker: Speaker) -> None:
    import pandas as pd

    room = dict(sizes(str(held.root)))
    room["total"] = (sum(n for n, _ in room.values()), sum(size for _, size in room.values()))
    shown = [
        {
            speaker.say("admin_folder"): name if name in FOLDERS else "",
            speaker.say("admin_holds"): speaker.say(f"admin_folder_{name}" if name != "total" else "admin_total"),
            speaker.say("admin_files"): f"{files:,}",
            speaker.say("admin_mb"): f"{size / 1e6:,.1f}",
        }
        for name, (files, size) in room.items()
    ]
    st.dataframe(pd.DataFrame(shown), hide_index=True, key="admin-disk")
    first = held.store.held_from
    if first is not None:
        st.caption(speaker.say("admin_expired", first=shanghai_date(first)))


def _backup(root: Path, rows: pd.DataFrame | None, speaker: Speaker) -> None:
    made = None if rows is None else rows[rows["action"] == "backup"]
    if made is not None and len(made):
        last = made.iloc[-1]
        st.markdown(escaped(speaker.say("admin_backup_last", at=moment(last["at"]), who=plain(last["who"]))))
    else:
        st.markdown(speaker.say("admin_backup_unknown"))
    st.markdown(speaker.say("admin_backup_how"))
    file = f"/mnt/backup/{datetime.now(ZoneInfo(TIMEZONE)):%Y-%m-%d}.gmb"
    st.code(
        f"geo-monitor --workspace {shlex.quote(str(root.resolve()))} backup -o {file}", language=None, wrap_lines=True
    )
