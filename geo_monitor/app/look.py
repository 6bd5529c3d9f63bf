"""Colours, widths and dashes of what is drawn over the base map.

Hue tells the state, and so do dash and words: vermilion and blue survive every colour blindness. Width tells p_hot in
three steps, opacity how sure the rate is. Colours are (red, green, blue), 0-255.
"""

from __future__ import annotations

from dataclasses import dataclass

Rgb = tuple[int, int, int]


@dataclass(frozen=True)
class Look:
    """Colours of one theme."""

    name: str
    hot: Rgb
    cold: Rgb
    normal: Rgb
    not_looked: Rgb
    zone: Rgb
    track: Rgb
    patrol: Rgb  # units that look
    traffic: Rgb  # everybody else on the water
    seizure: Rgb
    paper: Rgb  # behind symbols and numbers
    pick: Rgb  # around what is chosen
    ages: tuple[Rgb, ...]  # days since the last look, one per step of AGE_DAYS and one for "never"

    def state(self, name: str) -> Rgb:
        """The colour of a state."""
        colour: Rgb = getattr(self, name)
        return colour


LOOKS = {
    "day": Look(
        name="day",
        hot=(214, 64, 24),
        cold=(24, 104, 176),
        normal=(112, 121, 126),
        not_looked=(120, 108, 88),
        zone=(92, 84, 60),
        track=(40, 44, 48),
        patrol=(0, 108, 96),
        traffic=(96, 104, 110),
        seizure=(32, 34, 38),
        paper=(255, 255, 255),
        pick=(20, 22, 24),
        ages=((226, 219, 238), (186, 174, 214), (138, 120, 180), (100, 80, 150), (70, 48, 118)),
    ),
    "night": Look(
        name="night",
        hot=(255, 104, 60),
        cold=(88, 170, 240),
        normal=(138, 148, 154),
        not_looked=(168, 156, 132),
        zone=(190, 178, 140),
        track=(220, 226, 230),
        patrol=(98, 214, 190),
        traffic=(158, 166, 172),
        seizure=(240, 242, 244),
        paper=(24, 27, 31),
        pick=(255, 255, 255),
        ages=((58, 52, 74), (86, 74, 122), (122, 104, 172), (164, 146, 216), (214, 202, 248)),
    ),
}

AGE_DAYS = (7, 30, 90)  # days; steps of "days since the last look": up to 7, 30, 90, longer, never
WIDTHS = (2.5, 4.5, 7.0)  # pixels for p_hot under 0.5, under 0.8, from 0.8
FAR = 0.6  # of these widths where stretches stand for reaches: rivers lie closer there; hot and cold keep theirs
P_STEPS = (0.5, 0.8)
SURE = (4.0, 12.0)  # rate_hi / rate_lo: up to 4 sure, up to 12 fair, beyond unsure
ALPHAS = (255, 190, 130)
FRESH_S = (120.0, 600.0)  # seconds since the fix: up to 2 min a full ring, up to 10 half a ring, older none
DASH = (1.6, 1.8)  # of a reach not looked at: lengths of dash and gap in line widths


def width(p_hot: float, far: bool = False) -> float:
    """Line width in pixels.

    >>> [width(p) for p in (0.2, 0.5, 0.95)], width(0.2, far=True)
    ([2.5, 4.5, 7.0], 1.5)
    """
    return round(WIDTHS[sum(p_hot >= step for step in P_STEPS)] * (FAR if far else 1.0), 1)


def alpha(low: float, high: float) -> int:
    """Opacity (0-255) for a rate with the interval low..high: the wider, the fainter.

    >>> [alpha(0.1, 0.3), alpha(0.1, 1.0), alpha(0.0, 1.0)]
    [255, 190, 130]
    """
    ratio = high / low if low > 0 else float("inf")
    return ALPHAS[sum(ratio > step for step in SURE)]


def freshness(age_s: float) -> str:
    """The step of a fix that is `age_s` seconds old.

    >>> [freshness(s) for s in (0, 120, 121, 601)]
    ['fresh', 'fresh', 'ageing', 'old']
    """
    return ("fresh", "ageing", "old")[sum(age_s > step for step in FRESH_S)]


def age(days: float) -> int:
    """The step of `Look.ages` for days since the last look; NaN is never.

    >>> [age(d) for d in (3, 7, 8, 91, float("nan"))]
    [0, 0, 1, 3, 4]
    """
    if days != days:
        return len(AGE_DAYS) + 1
    return sum(days > step for step in AGE_DAYS)
