"""The font of the page in three files: the characters the page itself is written in, other common ones, all the rest; and
of Streamlit's font of icons the few that can be shown.

A browser asks for the second and third only where somebody typed a character that those before do not hold, and no font of
the computer does either. `python -m geo_monitor.app.basemap` makes the first two (which needs fontTools) and `map-sans.css`,
which tells browsers what each holds; and the icons, anew where a page of ours or another Streamlit names others: a test tells.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

FONTS = Path(__file__).parent / "static" / "fonts"
CORE, COMMON, WHOLE = "map-sans-core.woff2", "map-sans-common.woff2", "map-sans-sc.woff2"
SHEET = "map-sans.css"
ICONS = "material-symbols.woff2"
# fonts of computers that hold everyday Chinese, by the names of their plain faces: what the page is not itself written in is
# taken from them where one is installed, and sent where none is
INSTALLED = ("NotoSansCJKsc-Regular", "SourceHanSansSC-Regular", "SourceHanSansCN-Regular", "Noto Sans CJK SC", "Microsoft YaHei",
             "PingFangSC-Regular", "WenQuanYi Micro Hei", "SimHei")  # fmt: skip
CHINESE = (0x3400, 0xFEFF)  # what of the font is not letters, digits, punctuation or signs
RARE = ((0x370, 0x52F), (0x2460, 0x257F), (0x3040, 0x33FF))  # Greek, Cyrillic, numbers in rings, frames, kana, bopomofo


def spoken(known: set[int]) -> set[int]:
    """Of the characters `known` to the font those in the source of this package (messages, words that columns and gear go
    by) and in the names on the map, and all that are neither Chinese nor rare: letters, digits, punctuation, signs."""
    sources = [*FONTS.parents[2].rglob("*.py"), Path(__file__).with_name("names.csv")]
    told = {ord(one) for file in sources for one in file.read_text(encoding="utf-8")}
    return known & told | {code for code in known if not any(low <= code <= high for low, high in (CHINESE, *RARE))}


def common() -> set[int]:
    """Level 1 of GB 2312: the 3,755 characters of everyday texts."""
    return {ord(bytes([row, cell]).decode("gb2312")) for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF)
            if (row, cell) < (0xD7, 0xFA)}  # fmt: skip


def ranges(characters: Iterable[int]) -> list[tuple[int, int]]:
    """Runs of neighbours, first and last.

    >>> ranges([3, 1, 2, 9])
    [(1, 3), (9, 9)]
    """
    runs = groupby(enumerate(sorted(set(characters))), key=lambda pair: pair[1] - pair[0])
    held = [[character for _, character in run] for _, run in runs]
    return [(run[0], run[-1]) for run in held]


def sheet(core: set[int], common: set[int]) -> str:
    """The style sheet; what is in the first and in the second file. Of faces that hold a character browsers take the last."""
    faces = []
    for name, spans in ((WHOLE, [CHINESE]), (COMMON, ranges(common)), (CORE, ranges(core))):
        told = ",".join(f"U+{a:X}" if a == b else f"U+{a:X}-{b:X}" for a, b in spans)
        sources = [f'url({name})format("woff2")']
        if name != CORE:
            sources = [*(f'local("{one}")' for one in INSTALLED), *sources]
        face = f"font-family:map-sans;src:{','.join(sources)};font-display:swap;unicode-range:{told}"
        faces.append(f"@font-face{{{face}}}\n")
    return "".join(faces)


def ligatures(font: TTFont) -> dict[str, str]:
    """The words that a font of icons draws as one glyph."""
    letters = {glyph: chr(code).lower() for code, glyph in font.getBestCmap().items() if code < 128}
    tables = [table for lookup in font["GSUB"].table.LookupList.Lookup for table in lookup.SubTable]
    return {
        "".join(letters[glyph] for glyph in (first, *one.Component)): one.LigGlyph
        for table in tables
        for first, all_ in getattr(table, "ExtSubTable", table).ligatures.items()
        for one in all_
    }


def streamlit_icons() -> Path:
    """Streamlit's own font of icons."""
    from streamlit import file_util

    (found,) = Path(file_util.get_static_dir()).glob("static/media/MaterialSymbols-Rounded.*.woff2")
    return found


def icons(known: Iterable[str]) -> set[str]:
    """Of the icons `known` to the font those that the sources of Streamlit and of this package name.

    Streamlit's program names most of them as `:material/name:`, and some that it draws itself by the name alone; of those
    the names of two words are told from other words of a program.
    """
    import streamlit

    package = Path(streamlit.__file__).parent
    listing = package / "material_icon_names.py"  # names all there are
    sources = [*package.rglob("*.py"), *FONTS.parents[2].rglob("*.py"), *package.glob("static/static/js/*.js")]
    texts = [file.read_text(encoding="utf-8") for file in sources if file != listing]
    named = {name for text in texts for name in re.findall(r":material/(\w+):|[`'\"]([a-z0-9]+_\w+)[`'\"]", text)}
    return set(known) & {one for pair in named for one in pair}


def write() -> None:
    """Makes the first two files, the style sheet and the icons."""
    from fontTools import subset
    from fontTools.ttLib import TTFont

    known = set(TTFont(FONTS / WHOLE).getBestCmap())
    core = spoken(known)
    rest = known & (common() | {code for low, high in RARE for code in range(low, high + 1)}) - core
    for name, held in ((CORE, core), (COMMON, rest)):
        font = TTFont(FONTS / WHOLE, recalcTimestamp=False)
        cut = subset.Subsetter(subset.Options(layout_features=["*"], notdef_outline=True))
        cut.populate(unicodes=held)
        cut.subset(font)
        font.save(FONTS / name)
    (FONTS / SHEET).write_text(sheet(core, rest), encoding="utf-8")
    font = TTFont(streamlit_icons(), recalcTimestamp=False)
    glyphs = ligatures(font)
    # closed over the letters it would hold every icon
    cut = subset.Subsetter(subset.Options(layout_features=["*"], layout_closure=False, notdef_outline=True))
    cut.populate(glyphs=[glyphs[name] for name in icons(glyphs)], unicodes=range(128))
    cut.subset(font)
    font.save(FONTS / ICONS)
