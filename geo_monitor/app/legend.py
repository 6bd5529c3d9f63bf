"""The legend: what each line, cell and symbol means, in the colours of the theme.

Every word comes from the catalogue; no data of anybody enters this HTML.
"""

from __future__ import annotations

from html import escape

from geo_monitor.app import look
from geo_monitor.app.look import Look, Rgb
from geo_monitor.app.words import Speaker


def css(colour: Rgb, opacity: float = 1.0) -> str:
    """
    >>> css((214, 64, 24), 0.5)
    'rgba(214,64,24,0.5)'
    """
    return f"rgba({colour[0]},{colour[1]},{colour[2]},{opacity:g})"


def _line(colour: str, width: float, dash: bool = False) -> str:
    # a border, not an SVG: the page lets no SVG through
    kind = "dashed" if dash else "solid"
    return f'<span class="line" style="border-top:{width:g}px {kind} {colour}"></span>'


def _item(swatch: str, word: str) -> str:
    return f'<span class="item">{swatch}<span>{escape(word)}</span></span>'


def _symbol(name: str, colours: Look) -> str:
    from geo_monitor.app.layers import SYMBOLS

    shift = -16 * SYMBOLS.index(name)
    sheet = f"app/static/symbols-{colours.name}.png"
    return (
        f'<span class="symbol" style="background:url({sheet}) {shift}px 0/{16 * len(SYMBOLS)}px 16px no-repeat"></span>'
    )


def _unit(name: str, colours: Look) -> str:
    from geo_monitor.app.symbols import UNITS

    where = f"url(app/static/units-{colours.name}.png) {-20 * UNITS.index(name)}px 0/{20 * len(UNITS)}px 20px no-repeat"
    return f'<span class="symbol unit" style="background:{where}"></span>'


def html(shown: set[str], speaker: Speaker, colours: Look, stretch_km: float | None) -> str:
    """The legend for the layers `shown` (state, unseen, zones, tracks, seizures), as one HTML block."""
    rows = []
    if "state" in shown:
        least = speaker.settings.looked_h
        items = [
            _item(_line(css(colours.hot), 6), speaker.say("legend_hot")),
            _item(_line(css(colours.normal), look.WIDTHS[0]), speaker.say("legend_normal")),
            _item(_line(css(colours.cold), 6), speaker.say("legend_cold")),
            _item(
                _line(css(colours.not_looked), look.WIDTHS[0], dash=True), speaker.say("legend_not_looked", hours=least)
            ),
        ]
        rows.append(_row(speaker.say("legend_state"), items))
        words = [f"<{look.P_STEPS[0]:.0%}", f"{look.P_STEPS[0]:.0%}–{look.P_STEPS[1]:.0%}", f"≥{look.P_STEPS[1]:.0%}"]
        steps = [_item(_line(css(colours.hot), w), t) for w, t in zip(look.WIDTHS, words, strict=True)]
        fades = "".join(_line(css(colours.hot, a / 255), 6) for a in look.ALPHAS)
        rows.append(_row(speaker.say("legend_width"), [*steps, _item(fades, speaker.say("legend_sure"))]))
    if "unseen" in shown:
        days = [f"≤{look.AGE_DAYS[0]}", *(f"≤{d}" for d in look.AGE_DAYS[1:]), f">{look.AGE_DAYS[-1]}"]
        days.append(speaker.say("legend_never"))
        items = [_item(_line(css(c), 4), word) for c, word in zip(colours.ages, days, strict=True)]
        rows.append(_row(speaker.say("legend_unseen"), items))
    others = []
    if "zones" in shown:
        swatch = _line(css(colours.zone), 1.5) + _line(css(colours.zone), 1.2, dash=True)
        others.append(_item(swatch, speaker.say("legend_zone")))
    if "tracks" in shown:
        others.append(_item(_line(css(colours.track, 0.5), 1.2), speaker.say("legend_track")))
    if others:
        rows.append(_row("", others))
    if "units" in shown:
        items = [
            _item(_unit(f"{who}-fresh-moving", colours), speaker.say(f"legend_{who}")) for who in ("patrol", "traffic")
        ]
        items += [
            _item(_unit(f"patrol-{age}-moving", colours), speaker.say(f"legend_{age}"))
            for age in ("fresh", "ageing", "old")
        ]
        rows.append(_row(speaker.say("legend_units"), items))
    if "seizures" in shown:
        known = ("water", "bank", "market", "road", "restaurant", "shop")
        items = [_item(_symbol(name, colours), speaker.say(name)) for name in known]
        items.append(_item(_symbol("other", colours), speaker.say("place_unknown")))
        rows.append(_row(speaker.say("legend_seizure"), [*items, _item("", speaker.say("legend_many"))]))
    if stretch_km and "state" in shown:
        rows.append(f'<div class="note">{escape(speaker.say("legend_stretch", km=stretch_km))}</div>')
    rows.append(f'<div class="note">{escape(speaker.say("source"))}</div>')
    return f'<div class="legend">{"".join(rows)}</div>'


def _row(head: str, items: list[str]) -> str:
    return f'<div class="row"><span class="head">{escape(head)}</span><span class="items">{"".join(items)}</span></div>'


CSS = """
.legend { font-size: 12.5px; line-height: 1.35; opacity: .92; }
.legend .row { display: grid; grid-template-columns: 13em 1fr; margin: 2px 0; }
.legend .items { display: flex; flex-wrap: wrap; align-items: center; column-gap: 16px; row-gap: 2px; }
.legend .head { opacity: .72; }
.legend .item { display: inline-flex; align-items: center; gap: 5px; white-space: nowrap; }
.legend .line { display: inline-block; width: 26px; margin-right: 3px; }
.legend .symbol { display: inline-block; width: 16px; height: 16px; }
.legend .symbol.unit { width: 20px; height: 20px; }
.legend .note { opacity: .66; margin-top: 3px; }
"""
