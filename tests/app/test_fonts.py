"""The font in three files: what one lacks another holds, and the page itself is written in the first. The icons: all that
can be shown, as Streamlit draws them."""

from __future__ import annotations

import re

from fontTools.ttLib import TTFont

from geo_monitor.app import fonts


def held(name: str) -> set[int]:
    return set(TTFont(fonts.FONTS / name).getBestCmap())


def told() -> dict[str, set[int]]:
    """What the style sheet asks of each file."""
    out = {}
    for face in re.findall(r"@font-face\{([^}]*)\}", (fonts.FONTS / fonts.SHEET).read_text(encoding="utf-8")):
        spans = [span.split("-") for span in re.findall(r"U\+([0-9A-F-]+)", face)]
        every = {code for a, *b in spans for code in range(int(a, 16), int((b or [a])[0], 16) + 1)}
        out[re.findall(r"url\(([^)]*)\)", face)[0]] = every
    return out


def test_the_sheet_promises_no_character_that_a_file_lacks_and_none_twice() -> None:
    of = told()
    assert list(of) == [fonts.WHOLE, fonts.COMMON, fonts.CORE]  # of several a browser takes the last
    assert held(fonts.WHOLE) <= set().union(*of.values())
    assert of[fonts.CORE] <= held(fonts.CORE)
    assert of[fonts.COMMON] <= held(fonts.COMMON)
    assert not of[fonts.CORE] & of[fonts.COMMON]


def test_the_page_is_written_in_the_first() -> None:
    # others would send everybody the second file: `python -m geo_monitor.app.basemap` makes the first anew
    missing = fonts.spoken(held(fonts.WHOLE)) - held(fonts.CORE)
    assert not missing, "".join(map(chr, sorted(missing)))


def test_what_the_page_is_not_written_in_is_sent_only_where_no_font_is_installed() -> None:
    sheet = (fonts.FONTS / fonts.SHEET).read_text(encoding="utf-8")
    sources = re.findall(r"src:([^;]*);", sheet)
    for name, source in zip((fonts.WHOLE, fonts.COMMON), sources, strict=False):
        assert source.startswith('local("NotoSansCJKsc-Regular")') and source.endswith(f'url({name})format("woff2")')
    assert sources[2] == f'url({fonts.CORE})format("woff2")'


def test_some_characters_by_hand() -> None:
    of = told()
    assert {ord(c) for c in "0123456789长江禁捕"} <= of[fonts.CORE]
    assert len(fonts.common()) == 3755
    assert ord("豚") in held(fonts.WHOLE)


def drawn(font: TTFont) -> dict[str, list[tuple[int, int]]]:
    """Corners of the glyph of each icon."""
    glyphs = font["glyf"]
    return {name: list(glyphs[glyph].getCoordinates(glyphs)[0]) for name, glyph in fonts.ligatures(font).items()}


def test_every_icon_that_can_be_shown_is_there_as_streamlit_draws_it() -> None:
    # one that is not would be a word in the page: `python -m geo_monitor.app.basemap` makes the font anew
    whole, ours = drawn(TTFont(fonts.streamlit_icons())), drawn(TTFont(fonts.FONTS / fonts.ICONS))
    missing = fonts.icons(whole) - set(ours)
    assert not missing, sorted(missing)
    assert ours == {name: whole[name] for name in ours}
    # the arrow of the side bar, that of a box of choices, the menu of a table's column, a mark, a link in a table
    assert {"keyboard_double_arrow_left", "expand_more", "more_vert", "check", "open_in_new"} <= set(ours)
    assert len(ours) < 300 < 4000 < len(whole)
