"""avoids: boats that leave when a patrol comes near, more often than they leave anyway.

In: of every minute the last fix of each unit. Out: `Found`. What a boat did at each approach and in quiet times is
kept as small records; approaches are told by reaches, so nothing is found without a network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import binom

from geo_monitor.events import kernels
from geo_monitor.events import rows as at
from geo_monitor.events.ground import Ground
from geo_monitor.events.single import Found, minutes
from geo_monitor.events.track import THIN_MS, Track
from geo_monitor.settings import Settings
from geo_monitor.tracks import DAY_MS


class Avoids:
    """Of one rule: minutes (UTC, whole) with a patrol near, by traffic track; and records (minute, 1 approach or 0
    quiet, 1 left or 0 stayed)."""

    def __init__(self, rule: int, limits: Mapping[str, float], settings: Settings) -> None:
        self.rule, self.limits = rule, limits
        self.leg = settings.event_leg_s * 1000.0
        self.near: dict[int, np.ndarray] = {}
        self.records: dict[int, np.ndarray] = {}
        self._found: dict[int, list[Found]] = {}
        self._since = np.inf  # fixes from then on (ms) have not been looked at
        whole = {name: max(round(limits[f"avoids_{name}_s"] * 1000 / THIN_MS), 1) for name in ("apart", "rest", "left")}
        self.apart, self.rest, self.left = whole["apart"], whole["rest"], whole["left"]

    def update(self, tracks: Sequence[Track], since: float, ground: Ground) -> None:
        """Works out anew what fixes from `since` (ms) on may change, in minutes that are over."""
        if ground.network is None:
            return
        end = max(int(track.last) // THIN_MS for track in tracks if track.n)  # minutes that are over
        self._since = min(self._since, since)
        begin = int(self._since) // THIN_MS
        if begin >= end:
            return
        self._since = np.inf
        # of older minutes not all is at hand: what was found of them stays
        whole = max(track.thin_from for track in tracks) + self.leg
        if whole > -np.inf:
            begin = max(begin, int(whole) // THIN_MS + self.apart + self.left + 2 * self.rest + 1)
        self._meet(tracks, begin, end, ground)
        low = begin - self.apart - self.left - self.rest
        of = self.limits
        for code, track in enumerate(tracks):
            if not track.traffic or track.last // THIN_MS < low:
                continue
            heard = track.heard
            lo, hi = np.searchsorted(heard[:, 0], [(low - self.rest) * THIN_MS - self.leg, end * THIN_MS])
            new = kernels.approaches(
                heard[lo:hi], self.near.get(code, np.empty(0, np.int64)), low, end, self.apart, self.rest, self.left,
                of["avoids_rest_m"], of["avoids_left_m"], self.leg, THIN_MS,
            )  # fmt: skip
            old = self.records.get(code, np.empty((0, 3), np.int64))
            kept = old[old[:, 0] < low]
            if len(new) or len(kept) < len(old):
                self.records[code] = np.concatenate([kept, new])
                self._found[code] = self._of(code, track)

    def _meet(self, tracks: Sequence[Track], begin: int, end: int, ground: Ground) -> None:
        """Minutes [begin, end) in which traffic boats have a patrol near."""
        for code, minutes_ in self.near.items():
            self.near[code] = minutes_[minutes_ < begin]
        if not any(track.patrol for track in tracks):
            return
        whos, wheres = [], []
        every = np.arange(begin, end)
        for code, track in enumerate(tracks):
            if not (track.patrol or track.traffic) or track.last < begin * THIN_MS - self.leg:
                continue
            heard = track.heard
            last = np.searchsorted(heard[:, 0], (every + 1) * THIN_MS) - 1
            known = (last >= 0) & (heard[np.maximum(last, 0), 0] >= (every + 1) * THIN_MS - self.leg)
            kind = np.full(int(known.sum()), at.PATROL if track.patrol else at.TRAFFIC, dtype=float)
            whos.append(np.column_stack([every[known], np.full(len(kind), code)]))
            wheres.append(np.column_stack([heard[last[known], 1:], kind, np.zeros(len(kind))]))
        if not whos:
            return
        who, where = np.concatenate(whos), np.concatenate(wheres)
        order = np.lexsort((where[:, 0], who[:, 0]))
        who, where = who[order], where[order]
        a, b, _ = kernels.close(who[:, 0], where, self.limits["avoids_m"], True)
        one, other = (ground.place(where[part, 0], where[part, 1])[0] for part in (a, b))
        near = ground.near(one, other, self.limits["avoids_m"])
        a, b = a[near], b[near]
        if not len(a):
            return
        pairs = np.unique(who[np.where(where[a, 2] == at.TRAFFIC, a, b)][:, ::-1], axis=0)  # boat, minute
        boats, first = np.unique(pairs[:, 0], return_index=True)
        for code, fresh in zip(boats.tolist(), np.split(pairs[:, 1], first[1:]), strict=True):
            self.near[code] = np.concatenate([self.near.get(code, np.empty(0, np.int64)), fresh])

    def _of(self, code: int, track: Track) -> list[Found]:
        """The events of one boat: each begins with the approach that makes it more than chance, and goes on through
        those after it that do."""
        of = self.limits
        records = self.records[code]
        came = records[records[:, 1] == 1]
        quiet = records[records[:, 1] == 0]
        span = of["avoids_days"] * DAY_MS / THIN_MS
        found: list[Found] = []
        previous = -np.inf
        for k in came[came[:, 2] == 1, 0].tolist():
            mine = came[(came[:, 0] > k - span) & (came[:, 0] <= k)]
            rest = quiet[(quiet[:, 0] > k - span) & (quiet[:, 0] <= k)]
            times, left = len(mine), int(mine[:, 2].sum())
            # one departure more in two windows more: a rate of nought would make of any departure a proof
            rate = (int(rest[:, 2].sum()) + 1) / (len(rest) + 2)
            chance = float(binom.sf(left - 1, times, rate))
            if left < of["avoids_least"] or chance >= of["avoids_p"]:
                continue
            end = (k + self.left) * THIN_MS
            if found and k - previous <= span:
                first = found[-1]
                evidence = {**first.evidence, "minutes": minutes(first.start, end)}
                found[-1] = Found(self.rule, first.units, None, first.start, end, first.lon, first.lat, evidence)
            else:
                found.append(self._one(track, k, end, mine, rest, rate, chance))
            previous = k
        return found

    def _one(
        self, track: Track, k: int, end: int, mine: np.ndarray, rest: np.ndarray, rate: float, chance: float
    ) -> Found:
        heard = track.heard
        row = heard[max(int(np.searchsorted(heard[:, 0], (k + 1) * THIN_MS)) - 1, 0)]
        start = k * THIN_MS
        evidence = {
            "minutes": minutes(start, end),
            "approaches": len(mine),
            "left": int(mine[:, 2].sum()),
            "left_at": [int(minute) * THIN_MS for minute in mine[mine[:, 2] == 1, 0][-at.SAMPLE :]],
            "quiet": len(rest),
            "quiet_left": int(rest[:, 2].sum()),
            "own_rate": round(rate, 4),
            "p_value": float(f"{chance:.3g}"),
            "fixes": {"number": 1, "first": int(row[0]), "last": int(row[0]),
                      "some": [[track.unit, int(row[0]), float(row[1]), float(row[2])]]},
            "limits": dict(self.limits),
        }  # fmt: skip
        return Found(self.rule, (track.unit,), None, start, end, float(row[1]), float(row[2]), evidence)

    def found(self) -> list[Found]:
        """Events so far."""
        return [one for _, every in sorted(self._found.items()) for one in every]
