"""How a warning looks: the colours of its grade, and the style of the pages of the duty."""

from __future__ import annotations

from html import escape

from geo_monitor.app.legend import css
from geo_monitor.app.look import Rgb

# the colours of the national scale of warnings; on yellow the words are dark, or they could not be read
GRADES: dict[str, dict[str, Rgb]] = {
    "day": {"red": (190, 30, 38), "orange": (190, 84, 0), "yellow": (242, 196, 0), "blue": (24, 104, 176)},
    "night": {"red": (208, 44, 50), "orange": (192, 86, 4), "yellow": (240, 200, 40), "blue": (34, 112, 188)},
}
INK: dict[str, Rgb] = {
    "red": (255, 255, 255),
    "orange": (255, 255, 255),
    "yellow": (24, 24, 20),
    "blue": (255, 255, 255),
}
CSS = """
<style>
  .warn { padding: .18rem .6rem .28rem; border-left: 5px solid transparent; line-height: 1.45; }
  .warn .top { display: flex; gap: .55rem; align-items: baseline; }
  .warn b { font-weight: 600; min-width: 0; }
  .warn .left { margin-left: auto; font-variant-numeric: tabular-nums; white-space: nowrap; padding-left: .5rem; }
  .warn .left.over { color: #over; font-weight: 600; }
  .warn p { margin: 0; font-size: .86rem; opacity: .84; }
  .warn.here { background: rgba(127,140,150,.16); }
  .grade { display: inline-block; padding: 0 .45rem; border-radius: 3px; font-size: .84rem; line-height: 1.5; white-space: nowrap; }
  .counts { display: flex; gap: .5rem 1rem; flex-wrap: wrap; align-items: baseline; }
  .counts .over { color: #over; font-weight: 600; }
  .lines p.over { color: #over; }
  .lines p { margin: 0 0 .25rem; font-size: .88rem; line-height: 1.5; }
  .lines .when { font-variant-numeric: tabular-nums; opacity: .7; margin-right: .5rem; }
  h3.part { font-size: .95rem; font-weight: 600; margin: .5rem 0 .1rem; padding: 0; }
  .task { border: 1px solid rgba(127,140,150,.45); border-radius: 3px; padding: .25rem .5rem; font-size: .86rem; line-height: 1.45; }
  .task.here { border-width: 2px; }
  .task .over { color: #over; font-weight: 600; }
  .column { font-weight: 600; border-bottom: 2px solid rgba(127,140,150,.6); padding-bottom: .15rem; }
  .counts > * { white-space: nowrap; }
  @media (max-width: 1150px) {
    .st-key-duty-main > [data-testid="stHorizontalBlock"], .st-key-duty-main > div > [data-testid="stHorizontalBlock"] { flex-wrap: wrap; }
    .st-key-duty-main > [data-testid="stHorizontalBlock"] > [data-testid="stColumn"],
    .st-key-duty-main > div > [data-testid="stHorizontalBlock"] > [data-testid="stColumn"] { min-width: 100%; }
  }
</style>
"""
# on a narrow page the columns stand below each other: what was chosen comes first
CHOSEN_FIRST = """
<style>
  @media (max-width: 1150px) {
    .st-key-duty-main > [data-testid="stHorizontalBlock"] > [data-testid="stColumn"]:nth-child(2),
    .st-key-duty-main > div > [data-testid="stHorizontalBlock"] > [data-testid="stColumn"]:nth-child(2) { order: -1; }
  }
</style>
"""
OVER = {"day": "#c8320c", "night": "#ff7a52"}  # what has run out, readable on the ground of each theme


def style(theme: str) -> str:
    """The style of the pages in a theme."""
    return CSS.replace("#over", OVER[theme])


def badge(grade: str, words: str, theme: str) -> str:
    """The grade as a small plate, HTML.

    >>> badge("yellow", "■ 黄色", "day")
    '<span class="grade" style="background:rgba(242,196,0,1);color:rgba(24,24,20,1)">■ 黄色</span>'
    """
    ground, ink = css(GRADES[theme][grade]), css(INK[grade])
    return f'<span class="grade" style="background:{ground};color:{ink}">{escape(words)}</span>'
