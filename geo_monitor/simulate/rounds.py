"""Boats sent to a stretch: regular rounds, so that every reach there is looked at in every step, and operations.

In: `Planted`, a seed. Out: `Movement` of these boats; `joined` puts it beside the patrols that go where they like.
A boat is kept at its stretch. On its day out it begins anywhere in it, goes to an end, turns, and so on: every reach of
the stretch gets the same time but for chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo_monitor.simulate.movement import AGENCIES, LEG_S, MANNERS, Movement, as_legs, gaps
from geo_monitor.simulate.planted import Planted, Spell

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ROUND_H = 0.29  # hours a day and reach: 8 h in 28 days, of which silences take some
OPERATION_BOATS, OPERATION_H = 2, 7.0  # boats of an operation, hours each a day
FIX_S = 90  # seconds between the fixes of these boats
EDGE_M = 80.0  # metres kept from the ends of a stretch: noise of fixes must not show a boat where none may go


def rounds(planted: Planted, number: int, seed: int) -> Movement:
    """Patrols of all beats and operations; `number` units are known already, and no patrol is."""
    import pandas as pd

    rng = np.random.default_rng([seed, 13])
    crews = _crews(planted)
    outings: list[dict[str, float]] = []
    legs: list[Floats] = []
    for unit, crew in enumerate(crews):
        for spell in crew:
            low, high = planted.water.edge[spell.low], planted.water.edge_end[spell.high - 1]
            inward = min(EDGE_M, 0.25 * (high - low))
            usual = OPERATION_H if spell.what == "operation" else ROUND_H * (spell.high - spell.low)
            for day in range(spell.first, spell.end):
                seconds = usual * 3600.0 * rng.uniform(0.9, 1.1)
                begin = np.round(planted.begin + day * 86400.0 + rng.uniform(0.0, 86400.0 - seconds - 60.0))
                made = sweep(float(low + inward), float(high - inward), float(begin), float(seconds), rng)
                legs.append(np.column_stack([np.full(len(made), len(outings)), made]))
                outings.append({"unit": unit, "start": begin, "end": made[-1, 1]})
    offices = AGENCIES["boat"]
    units = pd.DataFrame(
        {
            "unit_id": [f"模拟艇{number + i + 1:03d}" for i in range(len(crews))],
            "mmsi": [f"999{seed % 1000:03d}{(number + i) % 1000:03d}" for i in range(len(crews))],
            "name": [f"模拟数据-驻点{i + 1}-{number + i + 1:03d}" for i in range(len(crews))],
            "platform": "boat",
            "agency": [offices[i % len(offices)] for i in range(len(crews))],
            "base": [f"驻点{i + 1}" for i in range(len(crews))],
            "fix_s": FIX_S,
            "noise_m": rng.uniform(10.0, 20.0, len(crews)),
        }
    )
    patrols = pd.DataFrame(outings, columns=["unit", "start", "end"])
    patrols.insert(0, "patrol_id", "")
    return Movement(units, patrols, as_legs(np.concatenate(legs)), gaps(patrols, rng))


def fixes_of(moved: Movement) -> int:
    """About how many fixes these patrols make."""
    return int(((moved.patrols["end"] - moved.patrols["start"]) / FIX_S).sum())


def joined(moved: Movement, more: Movement) -> Movement:
    """`more` after `moved`: units and patrols numbered on, nothing else changed."""
    import pandas as pd

    known = len(moved.patrols)
    patrols = more.patrols.assign(
        unit=more.patrols["unit"] + len(moved.units),
        patrol_id=[f"模拟巡{known + i + 1:05d}" for i in range(len(more.patrols))],
    )
    parts = [
        {name: np.concatenate([one[name], two[name] + known if name == "patrol" else two[name]]) for name in one}
        for one, two in ((moved.legs, more.legs), (moved.gaps, more.gaps))
    ]
    return Movement(
        pd.concat([moved.units, more.units], ignore_index=True),
        pd.concat([moved.patrols, patrols], ignore_index=True),
        *parts,
    )


def sweep(low: float, high: float, begin: float, seconds: float, rng: np.random.Generator) -> Floats:
    """Legs (l, 6: t0, t1, s0, s1, aside0, aside1) up and down [low, high] for `seconds`."""
    manner = MANNERS["boat"]
    at, toward = float(rng.uniform(low, high)), float(rng.choice([-1.0, 1.0]))
    clock, end, aside = begin, begin + seconds, float(rng.uniform(*manner.aside))
    legs = []
    while clock < end:
        speed, left = rng.uniform(*manner.speed), LEG_S
        while left > 1e-6 and clock < end:
            border = high if toward > 0 else low
            time = min(abs(border - at) / speed, left, end - clock)
            turned = abs(border - at) / speed <= time
            to = border if turned else at + toward * speed * time
            fresh = float(rng.uniform(*manner.aside))
            if time > 0:
                legs.append((clock, clock + time, at, to, aside, fresh))
            clock, left, at, aside = clock + time, left - time, to, fresh
            toward = -toward if turned else toward
    return np.array(legs)


def _crews(planted: Planted) -> list[list[Spell]]:
    """The spells of each boat: beats of one time go to different boats, of another time to the same ones again."""
    crews: list[list[Spell]] = []
    spells = planted.of("rounds")
    for first in sorted({spell.first for spell in spells}):
        for number, spell in enumerate(one for one in spells if one.first == first):
            if number == len(crews):
                crews.append([])
            crews[number].append(spell)
    return crews + [[spell] for spell in planted.of("operation") for _ in range(OPERATION_BOATS)]
