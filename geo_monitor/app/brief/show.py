"""The brief of what is chosen on a page: made from the store, shown in the panel, given as a page to print.

Kept by the minute for everybody with the same rights, so that a live page does not make it anew with every tick.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from geo_monitor.app import brief, data
from geo_monitor.app.brief import sheet
from geo_monitor.app.deck import plain
from geo_monitor.app.rows import rows, zone_name
from geo_monitor.app.words import Speaker
from geo_monitor.messages import Lang
from geo_monitor.tables import TIMEZONE

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.app.brief import Brief, Known

ROWS = 5  # rows of a list in the panel; the page to print holds more
CSS = """
<style>
  .brief h2 { font-size: 1.08rem; font-weight: 600; margin: 0; padding: 0; }
  .brief .of { opacity: .75; font-size: .9rem; }
  .brief h3 { font-size: .92rem; font-weight: 600; margin: .55rem 0 .1rem; padding: 0; }
  .brief p { margin: 0 0 .15rem; font-size: .9rem; line-height: 1.5; }
  .brief p.row { padding-left: .7rem; text-indent: -.7rem; }
  .brief .more, .brief .note { opacity: .65; font-size: .82rem; }
</style>
"""


@st.cache_resource(show_spinner=False, max_entries=6)
def _known(path: str, mark: str, run_id: str, at: pd.Timestamp, _fixes: pd.DataFrame) -> Known:
    held = data.workspace(path)
    return brief.Known(
        at,
        data.reaches(path, run_id, at.floor("6h")),
        held.table("links", run=run_id),
        data.uploaded(path, "zones", mark),
        data.uploaded(path, "seizures", mark),
        data.result(path, "seizure_links", run_id),
        data.result(path, "effort", run_id),
        data.result(path, "zone_visits", run_id),
        _fixes,
        data.uploaded(path, "units", mark),
        data.uploaded(path, "levels", mark),
        run_id,
    )


@st.cache_resource(show_spinner=False, max_entries=64)
def _made(
    path: str, mark: str, run_id: str, at: pd.Timestamp, picked: str, lang: Lang, _fixes: pd.DataFrame
) -> Brief | None:
    """The brief of `picked`; None where it is neither a reach, a zone nor a unit that is known."""
    names = {code: name for code, (name, _) in data.localities(path, mark).items()}
    speaker = Speaker(lang, names, data.workspace(path).settings)
    known = _known(path, mark, run_id, at, _fixes)
    kind, _, name = picked.partition("|")
    if kind == "zone":
        row = next((row for row in rows(known.zones) if zone_name(row) == picked), None)
        return None if row is None else brief.of_zone(row.zone_id, int(row.version), row.agency, known, speaker)
    if kind == "unit":
        row = next((row for row in rows(_fixes) if plain(row.unit_id) == name), None)
        return None if row is None else brief.of_unit(row, known, speaker)
    return brief.of_reach(picked, known, speaker) if picked in known.index else None


@st.cache_resource(show_spinner=False, max_entries=64)
def _page(path: str, mark: str, run_id: str, at: pd.Timestamp, picked: str, lang: Lang, _made: Brief) -> bytes:
    """The page to print of a brief."""
    held = data.workspace(path)
    return sheet.pdf(_made, Speaker(lang, {}, held.settings), held.simulated)


def show(
    path: str,
    mark: str,
    run_id: str | None,
    now: pd.Timestamp,
    picked: str,
    fixes: pd.DataFrame,
    speaker: Speaker,
    whole: bool = True,
) -> bool:
    """Shows the brief of `picked` as at `now` (UTC, to the minute); tells whether there is one.

    fixes: `moments.Fixes.at`. `whole`: all of it in words, else only the page to print.
    """
    if run_id is None:
        return False
    told = fixes.assign(role=["patrol" if patrol else "traffic" for patrol in fixes["patrol"]])
    at = now.floor("min")
    made = _made(path, mark, run_id, at, picked, speaker.lang, told)
    if made is None:
        return False
    if whole:
        st.html(CSS + html(made, speaker))
    # made now and not at the click: a file made between two ticks of a live page can be gone before the browser asks for it
    st.download_button(
        speaker.say("brief_print"),
        _page(path, mark, run_id, at, picked, speaker.lang, made),
        f"{speaker.say('brief_file')}-{at.tz_convert(TIMEZONE):%Y%m%d-%H%M}.pdf",
        "application/pdf",
        key="brief-pdf",
        on_click="ignore",
        width="stretch",
    )
    return True


def html(made: Brief, speaker: Speaker) -> str:
    """A brief as HTML that holds only text of it."""
    out = [f"<h2>{escape(plain(made.title))}</h2>", f'<div class="of">{escape(plain(made.subtitle))}</div>']
    for part in made.sections:
        if not part.lines:
            continue
        out.append(f"<h3>{escape(part.heading)}</h3>")
        for i, line in enumerate(part.lines[: part.lead + ROWS]):
            out.append(f'<p class="{"lead" if i < part.lead else "row"}">{escape(plain(line))}</p>')
        more = part.more + max(len(part.lines) - part.lead - ROWS, 0)
        if more:
            out.append(f'<p class="more">{escape(speaker.say("brief_rest", n=f"{more:,}"))}</p>')
    out += [f'<p class="note">{escape(note)}</p>' for note in made.notes]
    return f'<div class="brief">{"".join(out)}</div>'
