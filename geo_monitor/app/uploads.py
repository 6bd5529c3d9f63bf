"""The data page: send a file and look at it before it counts, choose how an unsure one is read, receipts, scores.

Everything goes through `geo_monitor.workspace`, which asks what the viewer may do; a preview keeps nothing. Taking in is a
job (`job.py`), which can be stopped and goes on when the session goes away.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import streamlit as st
from streamlit import config

from geo_monitor.app import controls, data, underway
from geo_monitor.app.deck import BASIN, Bounds, Deck, escaped, fit, plain
from geo_monitor.app.job import jobs
from geo_monitor.app.layers import TOOLTIP
from geo_monitor.app.look import LOOKS
from geo_monitor.app.words import Speaker, moment
from geo_monitor.errors import GeoMonitorError
from geo_monitor.messages import hint, listed, text
from geo_monitor.store.schema import RECORDS
from geo_monitor.tables import TIMEZONE

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.ingest import Upload
    from geo_monitor.workspace import Workspace

ENCODINGS = ("utf-8", "gb18030", "big5", "utf-16", "latin-1")
ROWS = 200  # rows of a preview shown, and shapes drawn; its counts are of the whole file
VERSIONED = (
    "zones",
    "seizures",
    "patrols",
    "units",
    "jurisdictions",
    "levels",
)  # records that are corrected by sending again
RECEIPTS = 200  # newest receipts listed
MARGIN = 0.3  # degrees around what a preview shows: a town, a river bend to know the place by
PARTS = 0.002  # degrees; shapes of a preview are drawn this coarsely (200 m)


def page(path: str, speaker: Speaker) -> None:
    """Draws the page for one session; `path` is the door of its workspace."""
    held = data.workspace(path)
    st.html(f'<h1 class="page">{speaker.say("data")}</h1>')
    names = ["receipts", "versions", "scores"]
    if "import" in held.viewer.rights:
        with st.container():  # above the tabs, from each of which one may send; empty or not it keeps the tabs in place
            root = str(held.root)
            underway.draw(root, "upload", held.viewer, speaker, lambda told: _outcome(told[speaker.lang], speaker))
        names = ["send", "choose", *names]
    parts = dict(zip(names, st.tabs([speaker.say(f"tab_{name}") for name in names]), strict=True))
    if "send" in parts:
        with parts["send"]:
            _send(held, speaker)
        with parts["choose"]:
            _choose(held, speaker)
    with parts["receipts"]:
        _receipts(held, speaker)
    with parts["versions"]:
        _versions(held, speaker)
    with parts["scores"]:
        _scores(held, speaker)


# The words of Streamlit's file uploader, which are English whatever the page speaks, and what stands in their place.
UPLOADER = {
    "upload_choose": "[data-testid=stFileUploaderDropzone] > span [data-testid=stBaseButton-secondary] p",
    "upload_limit": "[data-testid=stFileUploaderDropzoneInstructions] span",
    # what lies over the rest while a file is dragged there; it has no name of its own
    "upload_drop": "[data-testid=stFileUploaderDropzoneInput] + div:not(:has([data-testid])) > *",
}
# why a file could not be sent it tells screen readers only
FAILED = "#d64018"  # the vermilion of what needs an eye, readable by day and by night
UPLOADER_FAILED = "[data-testid=stFileUploader]:has([data-testid=stFileChip][aria-invalid])"
# what it tells screen readers of its buttons and of a file that was not sent; said again whenever it says that anew
SPOKEN = """
<script>
window.geoMonitorWords = WORDS;
window.geoMonitorSpoken?.disconnect();
window.geoMonitorSpoken = new MutationObserver(speak);
window.geoMonitorSpoken.observe(document.body, { childList: true, subtree: true, attributeFilter: ['aria-label'] });
speak();

function speak() {
  const words = window.geoMonitorWords;
  const all = where => document.querySelectorAll('[data-testid=stFileUploader] ' + where);
  for (const at of all('input[type=file], button')) {
    const file = at.closest('[data-testid=stFileChip]');
    const word = !file ? words.choose : file.querySelector('[data-testid=stFileChipIconSpinner]') ? words.stop : words.remove;
    const told = word.replace('NAME', () => file.querySelector('[data-testid=stFileChipName]').title);
    if (at.getAttribute('aria-label') !== told) at.setAttribute('aria-label', told);
  }
  for (const at of all('[role=alert]')) if (at.textContent !== words.failed) at.textContent = words.failed;
}
</script>
"""

# --- sending --------------------------------------------------------------------------------------------------------


def _send(held: Workspace, speaker: Speaker) -> None:
    from geo_monitor.workspace import KINDS

    left, right = st.columns([1, 1.4], gap="medium")
    with left:
        kind = st.selectbox(
            speaker.say("kind"), KINDS, index=2, format_func=lambda name: speaker.say(f"kind_{name}"), key="kind"
        )
        speak(speaker)
        sent = st.file_uploader(speaker.say("files"), accept_multiple_files=True, key=f"files-{_turn()}")
        agency = st.text_input(speaker.say("agency"), value=held.viewer.agency or "", disabled=bool(held.viewer.agency))
        options: dict[str, Any] = {"agency": agency or None}
        with st.expander(speaker.say("reading")):
            encoding = st.selectbox(speaker.say("encoding"), ["", *ENCODINGS], format_func=_or_auto(speaker))
            datum = st.selectbox(speaker.say("datum"), ["", "wgs84", "gcj02", "bd09"], format_func=_or_auto(speaker))
            crs = st.text_input(speaker.say("crs"), placeholder="EPSG:4547")
            if kind == "tracks":
                role = st.selectbox(speaker.say("role"), ["", "patrol", "traffic"], format_func=_or_auto(speaker))
                options["role"] = role or None
            if kind == "river":
                options["accuracy"] = st.number_input(speaker.say("accuracy"), min_value=1.0, value=500.0)
        options |= {"encoding": encoding or None, "datum": datum or None, "crs": crs.strip() or None}
        look, take = st.columns(2)
        looked = look.button(speaker.say("look"), disabled=not sent, width="stretch")
        busy = underway.running(str(held.root), "upload", held.viewer)
        taken = take.button(
            speaker.say("take"), disabled=not sent or busy, type="primary", width="stretch", key="take",
        )  # fmt: skip
    with right:
        if taken:
            _take(held, kind, on_disk(sent), options, speaker)
        elif looked:
            with told(speaker), on_disk(sent) as file, st.spinner(speaker.say("reading_file")):
                _preview(held.preview(kind, file, **options), speaker)


def speak(speaker: Speaker) -> None:
    """Lets file uploaders speak the language of the page, to screen readers too, and tell the limit that is set."""
    limit = config.get_option("server.maxUploadSize")
    words = {code: speaker.say(code, mb=limit) for code in (*UPLOADER, "upload_failed")}
    spoken = {
        name: speaker.say(f"upload_{name}", mb=limit, name="NAME") for name in ("choose", "remove", "stop", "failed")
    }
    # a CSS string is written as a JSON string is, as long as it holds neither control characters nor marks of HTML
    told = {
        code: f"content: {json.dumps(text, ensure_ascii=False)}; font-size: .875rem;" for code, text in words.items()
    }
    rules = [
        f"{UPLOADER_FAILED}::after {{ {told['upload_failed']} color: {FAILED}; display: block; margin-top: .3rem; }}"
    ]
    for code, where in UPLOADER.items():
        # what is hidden is not read out either
        rules += [
            f"{where} {{ font-size: 0; visibility: hidden; }}",
            f"{where}::after {{ {told[code]} visibility: visible; }}",
        ]
    st.html(f"<style>{' '.join(rules)}</style>")
    script = SPOKEN.replace(
        "WORDS", json.dumps(spoken, ensure_ascii=False)
    )  # words of ours; the browser adds the names
    st.html(script, unsafe_allow_javascript=True)


def _take(
    held: Workspace, kind: str, file: AbstractContextManager[Path], given: dict[str, Any], speaker: Speaker
) -> None:
    """Starts taking in a file, which lies where it is until that has ended."""
    with told(speaker), ExitStack() as until:
        asked = {"kind": kind, "file": str(until.enter_context(file)), "given": given}
        if jobs().start(str(held.root), held.viewer, "upload", asked, until) is None:
            st.warning(speaker.say("job_busy"))
        else:
            st.rerun()


def _turn() -> int:
    return int(st.session_state.get("uploads-turn", 0))


def _or_auto(speaker: Speaker) -> Any:
    return lambda value: value or speaker.say("automatic")


@contextmanager
def told(speaker: Speaker) -> Iterator[None]:
    """Says what went wrong, and what to do, instead of ending the page."""
    try:
        yield
    except GeoMonitorError as error:
        st.error(escaped(text(error.code, speaker.lang, **error.params)))
        more = hint(error.code, speaker.lang, **error.params)
        if more:
            st.info(escaped(more))


@contextmanager
def on_disk(sent: Sequence[Any]) -> Iterator[Path]:
    """What the browser sent, as one file or as a folder of its parts; gone when the block ends."""
    with TemporaryDirectory(prefix="geo-monitor-") as folder:
        for file in sent:
            name = PurePath(file.name.replace("\\", "/")).name  # a name, never a way out of the folder
            (Path(folder) / (name or "upload")).write_bytes(file.getbuffer())
        yield Path(folder) / PurePath(sent[0].name.replace("\\", "/")).name if len(sent) == 1 else Path(folder)


# --- looking --------------------------------------------------------------------------------------------------------


def _outcome(receipt: dict[str, Any], speaker: Speaker, kept: bool = True) -> None:
    """A receipt in words; `kept` off: that of a preview, which tells what would be."""
    shown = {"accepted": st.success, "accepted_with_warnings": st.warning, "duplicate": st.info, "rejected": st.error}
    how = "status" if kept or not receipt["status"].startswith("accepted") else "could"
    shown[receipt["status"]](speaker.say(f"{how}_{receipt['status']}", file=plain(receipt["file"])))
    rows = receipt["rows"]
    st.caption(speaker.say("counts", **{name: f"{count:,}" for name, count in rows.items()}))
    for name in ("encoding", "crs"):
        if receipt[name].get("used"):
            sure = f"{receipt[name]['confidence']:.0%}"
            how = speaker.say(f"how_{receipt[name]['how']}")
            st.caption(f"{speaker.say(name)}：{plain(receipt[name]['used'])}（{how}，{sure}）")
    for form in ("errors", "warnings", "notes"):
        for message in receipt[form]:
            where = _where(message.get("rows") or [], speaker)
            st.markdown(f"- **{speaker.say(form)}**　{escaped(message['message'])}{where}")
            if message.get("hint"):
                st.caption(plain(message["hint"]))


def _where(rows: Sequence[int], speaker: Speaker) -> str:
    if not rows:
        return ""
    return speaker.say("rows", rows=listed(map(str, rows[:12]), speaker.lang) + ("…" if len(rows) > 12 else ""))


def _preview(upload: Upload, speaker: Speaker) -> None:
    """What would be taken in: receipt, map, first rows."""
    st.caption(speaker.say("preview_only"))
    _outcome(upload.receipt.to_json(speaker.lang), speaker, kept=False)
    if upload.rows is not None:
        _drawn(upload.rows, speaker)
        _table(upload.rows.head(ROWS))


def _table(rows: pd.DataFrame) -> None:
    frame = rows.drop(columns=[name for name in ("geometry", "receipt_id") if name in rows])
    for name in frame.select_dtypes("datetimetz"):
        frame[name] = frame[name].dt.tz_convert(TIMEZONE).dt.strftime("%Y-%m-%d %H:%M:%S")
    st.dataframe(frame.map(lambda cell: plain(cell) if isinstance(cell, str) else cell), height=260)


def _drawn(rows: pd.DataFrame, speaker: Speaker) -> None:
    """The rows' places on the base map."""
    import shapely

    colour = [*LOOKS[controls.theme()].pick, 220]
    common = {"pickable": True, "lineWidthMinPixels": 2, "getLineColor": colour, "getFillColor": [*colour[:3], 60]}
    if "geometry" in rows:
        shapes = rows["geometry"].head(ROWS).to_numpy()
        shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
        features = [
            {"type": "Feature", "geometry": json.loads(shapely.to_geojson(shape)), "properties": {}}
            for shape in shapely.simplify(shapes, PARTS)
        ]
        layer = {"@@type": "GeoJsonLayer", "id": "sent", "data": features, **common}
    elif {"lon", "lat"} <= set(rows):
        points = rows[["lon", "lat"]].dropna().iloc[:: max(1, len(rows) // 5000)].round(5).to_numpy()
        shapes = shapely.points(points)
        layer = {"@@type": "ScatterplotLayer", "id": "sent", "data": [{"at": at} for at in points.tolist()],
                 "getPosition": "@@=at", "radiusMinPixels": 3, "getRadius": 3, **common,
                 "getFillColor": colour}  # fmt: skip
    else:
        return
    if len(shapes):
        style = f"app/static/basemap/style-{controls.theme()}-{speaker.lang}.json"
        st.pydeck_chart(Deck([layer], style, fit(_box(shapely.total_bounds(shapes))), TOOLTIP), height=320)


def _box(bounds: Any) -> Bounds:
    west, south, east, north = (float(edge) for edge in bounds)
    margin = max(0.1 * max(east - west, north - south), MARGIN)
    inside = west >= -180 and east <= 180 and south >= -85 and north <= 85
    return (west - margin, south - margin, east + margin, north + margin) if inside else BASIN


# --- choosing -------------------------------------------------------------------------------------------------------


def waiting(held: Workspace) -> list[dict[str, Any]]:
    """Uploads refused because their reading was unsure and not taken in since, newest first: receipt and `choices`."""
    book = held.table("receipts")
    done = set(book.loc[book["status"] != "rejected", "sha256"])
    found: list[dict[str, Any]] = []
    for row in book[(book["status"] == "rejected") & ~book["sha256"].isin(done)].iloc[::-1].itertuples():
        receipt = json.loads(str(row.receipt))["en"]
        unsure = [error for error in receipt["errors"] if error["code"] == "choice_needed"]
        if unsure and receipt["sha256"] not in {one["sha256"] for one in found}:
            found.append({**receipt, "choices": choices(unsure[0]["message"] + " " + unsure[0]["hint"])})
    return found


def choices(told: str) -> list[tuple[str, str]]:
    """The readings that a refusal names: (option, value), in its order.

    >>> choices("Readings: gb18030: 长江 / big5: 酗蔬; for example with --encoding gb18030")
    [('encoding', 'gb18030'), ('encoding', 'big5')]
    >>> choices("Readings: EPSG:4547 (114) / EPSG:4548 (117)")
    [('crs', 'EPSG:4547'), ('crs', 'EPSG:4548')]
    """
    found = [("crs", code) for code in re.findall(r"EPSG:\d+", told)]
    found += [("encoding", name) for name in re.findall(r"(?<![\w-])(?:utf-8|utf-16|gb18030|big5|latin-1)(?=:)", told)]
    return list(dict.fromkeys(found))


def _choose(held: Workspace, speaker: Speaker) -> None:
    open_ = waiting(held)
    if not open_:
        st.info(speaker.say("nothing_to_choose"))
        return
    names = {one["receipt_id"]: f"{plain(one['file'])}　{moment(_time(one['received_at']))}" for one in open_}
    receipt_id = st.selectbox(speaker.say("waiting"), list(names), format_func=names.__getitem__)
    one = next(one for one in open_ if one["receipt_id"] == receipt_id)
    st.caption(speaker.say("choose"))
    busy = underway.running(str(held.root), "upload", held.viewer)
    for place, (option, value) in zip(st.columns(len(one["choices"]) or 1), one["choices"], strict=False):
        with place, told(speaker), held.kept(receipt_id) as file:
            st.subheader(value)
            given = {option: value, "agency": one["agency"]}
            upload = held.preview(one["kind"], file, **given)
            if st.button(
                speaker.say("take_so", value=value), key=f"{receipt_id}-{value}", type="primary", disabled=busy
            ):
                _take(held, one["kind"], held.kept(receipt_id), given, speaker)
            elif upload.rows is not None:
                _drawn(upload.rows, speaker)
                _table(upload.rows.head(12))
            else:
                _outcome(upload.receipt.to_json(speaker.lang), speaker, kept=False)


# --- receipts and scores --------------------------------------------------------------------------------------------


def _time(told: str) -> pd.Timestamp:
    import pandas as pd

    return pd.Timestamp(told)


def _receipts(held: Workspace, speaker: Speaker) -> None:
    import pandas as pd

    book = held.table("receipts").iloc[::-1].head(RECEIPTS)
    if not len(book):
        st.info(speaker.say("no_receipts"))
        return
    receipts = [json.loads(str(cell))[speaker.lang] for cell in book["receipt"]]
    shown = pd.DataFrame({
        speaker.say("received"): [moment(at) for at in book["received_at"]],
        speaker.say("file"): [plain(name) for name in book["file"]],
        speaker.say("kind"): [speaker.say(f"kind_{name}") for name in book["kind"]],
        speaker.say("agency"): [plain(name) for name in book["agency"]],
        speaker.say("status"): [speaker.say(f"status_{s}_short") for s in book["status"]],
        **{speaker.say(f"row_{name}"): [r["rows"][name] for r in receipts]
           for name in ("read", "accepted", "corrected", "quarantined")},
    })  # fmt: skip
    picked = st.dataframe(shown, hide_index=True, on_select="rerun", selection_mode="single-row", key="receipts")
    chosen = picked["selection"]["rows"]
    if not chosen:
        st.caption(speaker.say("pick_receipt"))
        return
    receipt = receipts[chosen[0]]
    _outcome(receipt, speaker)
    receipt_id = receipt["receipt_id"]
    refused = held.quarantine(receipt_id) if held.store.sees(receipt["agency"]) else None
    if refused is not None:
        st.download_button(speaker.say("quarantine"), refused, f"{receipt_id}.csv", "text/csv", key=f"q-{receipt_id}")
    withdrawn = book["withdrawn_reason"].iloc[chosen[0]]
    if isinstance(withdrawn, str):
        st.warning(speaker.say("withdrawn", reason=plain(withdrawn)))
    elif "withdraw" in held.viewer.rights and receipt["status"].startswith("accepted"):
        with st.form(f"withdraw-{receipt_id}"):
            reason = st.text_input(speaker.say("reason"))
            if st.form_submit_button(speaker.say("withdraw")):
                with told(speaker):
                    held.withdraw(receipt_id, reason)
                    st.rerun()


def _versions(held: Workspace, speaker: Speaker) -> None:
    """Every version ever sent of a kind of record, newest first; those withdrawn with the reason."""
    kind, wanted = st.columns([1, 2])
    name = kind.selectbox(
        speaker.say("version_of"), VERSIONED, format_func=lambda name: speaker.say(f"kind_{name}"), key="version-of"
    )
    word = wanted.text_input(speaker.say("version_find"), key="version-find").strip()
    with told(speaker):
        rows = held.table(name, all_versions=True).iloc[::-1]
        key = RECORDS[name]
        if word:
            rows = rows[rows[key].astype(str).str.contains(word, regex=False, case=False)]
        st.caption(speaker.say("version_count", n=f"{len(rows):,}", shown=f"{min(len(rows), ROWS):,}"))
        shown = rows.head(ROWS)
        first = [key, "version", "agency", "received_at", "withdrawn_at", "withdrawn_reason"]
        rest = [column for column in shown.columns if column not in (*first, "geometry", "receipt_id")]
        _table(shown[[*[column for column in first if column in shown], *rest]])


def _scores(held: Workspace, speaker: Speaker) -> None:
    from geo_monitor import quality

    found = held.quality()
    lines = quality.lines(found, speaker.lang)
    if not lines:
        st.info(speaker.say("no_scores"))
    for line in lines:
        st.markdown(escaped(line).replace("\n", "  \n"))
