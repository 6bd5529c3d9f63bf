"""One feed into the store, for as long as it runs; and the duty room, if nobody else keeps it.

A batch is stored, with the place where its source goes on from, before its sender hears that it was. Where the store
cannot be reached the batch is kept and nothing more is read, until it can.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.errors import GeoMonitorError, Refused
from geo_monitor.feeds import Batch, Fix, Sorter, open_source
from geo_monitor.feeds.sorter import Sorted
from geo_monitor.loop.room import Room, now_ms
from geo_monitor.store import live
from geo_monitor.store.compact import compact

if TYPE_CHECKING:
    from geo_monitor.workspace import Workspace

log = logging.getLogger("geo_monitor")
PASSING = ("database_unreachable", "database_busy", "disk_full")  # what may be over in a while
PAUSE_S, PAUSE_MAX_S = 0.5, 10.0
REMEMBERED = timedelta(days=2)  # a unit heard since then goes on from its last fix
OWN_S = 60.0  # seconds after which table `units` is read again
ROOM = "room"
Say = Callable[[str, dict[str, Any]], None]


@dataclass
class Watched:
    """What came of a watch: fixes stored, repeats, lines refused by code, receipts, events and warnings written, and the
    lag from a fix to the store, seconds (by the wall clock; median, 99 %, highest)."""

    feed: str
    stored: int = 0
    repeated: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    receipts: list[str] = field(default_factory=list)
    events: int = 0
    warnings: int = 0
    lags: Counter[int] = field(default_factory=Counter, repr=False)  # hundredths of a second -> fixes

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        lag = None
        if self.lags:
            places = sorted(self.lags)
            upto = np.cumsum([self.lags[place] for place in places])
            at = [places[int(np.searchsorted(upto, share * upto[-1]))] / 100 for share in (0.5, 0.99)]
            lag = {"median_s": at[0], "p99_s": at[1], "max_s": places[-1] / 100}
        told = {name: getattr(self, name) for name in ("feed", "stored", "repeated", "events", "warnings", "receipts")}
        return {**told, "refused": dict(self.refused), "lag": lag}


class Watch:
    """Runs until the source ends, nothing new came for `until_idle` seconds, or `stop` is called."""

    def __init__(
        self,
        workspace: Workspace,
        feed: str,
        *,
        event_clock: bool = False,
        until_idle: float | None = None,
        agency: str | None = None,
        role: str | None = None,
        say: Say = lambda code, params: None,
    ) -> None:
        workspace.viewer.needs("import")
        agency = agency or workspace.viewer.agency
        if agency:
            workspace.store.may_send([agency])
        self._store, self._settings = workspace._store, workspace.settings
        self._agency, self._event_clock, self._until_idle, self._say = agency, event_clock, until_idle, say
        known = live.feed(self._store, feed)
        self._source = open_source(feed, self._settings, known.mark if known else None, role)
        if known is None and self._source.name != feed:
            known = live.feed(self._store, self._source.name)
        self.done = Watched(self._source.name)
        self._sorter = Sorter(self._settings, live.last_fixes(self._store, datetime.now(UTC) - REMEMBERED))
        if known and known.held:
            self._sorter.sort([Fix(*values) for values in known.held], None)
        self._stop = threading.Event()
        self._past: bool | None = None  # whether what is replayed is over
        self._again = 0  # repeats the sorter has dropped
        self._role, self._own, self._own_at = role, set[str](), float("-inf")
        self._sealing: threading.Thread | None = None
        self._sealed_at = time.monotonic()
        self._unsealed = 0  # fixes stored since

    def stop(self) -> None:
        """Asks it to come to its end; what was read is stored."""
        self._stop.set()

    def run(self) -> Watched:
        """Watches. Raises `GeoMonitorError` where storing fails for a reason that will not pass."""
        duty = None if self._event_clock else threading.Thread(target=self._keep_room, daemon=True)
        if duty is not None:
            duty.start()
        try:
            if self._event_clock:
                self._replay()
            else:
                self._listen(lambda: None)
        finally:
            self._source.close()
            self._stop.set()
            if duty is not None:
                duty.join()
            if self._sealing is not None:
                self._sealing.join()
        self._patiently(lambda: self._seal(wait=True))
        return self.done

    # --- feed -> store ----------------------------------------------------------------------------------------------

    def _listen(self, after: Callable[[], None]) -> None:
        """Stores batch after batch; `after` each of them."""
        heard = time.monotonic()
        while not self._stop.is_set():
            batch = self._source.read(0.5)
            if batch is None:
                self._store_sorted(Batch(), self._sorter.finish())
                after()
                return
            found = self._sort(batch.fixes)
            if batch.lines or batch.mark is not None or found.fixes or found.refused:
                new = self._store_sorted(batch, found)
                after()
                if new or batch.lines >= self._settings.feed_batch:  # of a full batch more waits to be read
                    heard = time.monotonic()
            if self._until_idle is not None and time.monotonic() - heard >= self._until_idle:
                self._store_sorted(Batch(), self._sorter.finish())
                after()
                return
            self._seal_now_and_then()

    def _sort(self, fixes: list[Fix]) -> Sorted:
        """By the wall clock what is ahead of it is refused. A replay of a past night, told by the first that is read,
        holds nothing of the days to come either: one such fix would move all clocks."""
        now = now_ms()
        if not self._event_clock:
            return self._sorter.sort(fixes, now)
        latest = now + round(self._settings.feed_future_s * 1000)
        if self._past is None and fixes:
            self._past = bool(np.median([fix.time for fix in fixes]) <= latest)
        return self._sorter.sort(fixes, None, latest if self._past else None)

    def _store_sorted(self, batch: Batch, found: Sorted) -> int:
        refused = Counter(code for _, code in batch.refused) + Counter(code for _, code in found.refused)
        for message in found.warnings:
            self._say(message.code, dict(message.params))
        now, fixes = now_ms(), self._with_roles(found.fixes)
        new = self._patiently(
            lambda: live.append(
                self._store, self.done.feed, self._agency, fixes, batch.mark, now, refused, self._sorter.held()
            )
        )
        self._source.stored(batch)
        again = self._sorter.counts["repeat"]
        self.done.repeated += again - self._again
        self._again = again
        self._unsealed += len(new)
        self.done.stored += len(new)
        self.done.repeated += len(fixes) - len(new)
        self.done.refused += refused
        if not self._event_clock and new:
            stored = now_ms()
            self.done.lags.update((stored - fix.time) // 10 for fix in new)
        return len(new)

    def _with_roles(self, fixes: list[Fix]) -> list[Fix]:
        """AIS is traffic, save of numbers that are in `units` (as in uploads), unless the role was told."""
        if self._role is not None or not any(fix.source == "ais" for fix in fixes):
            return fixes
        if time.monotonic() - self._own_at > OWN_S:
            self._own = set(self._patiently(lambda: self._store.records("units"))["mmsi"].dropna())
            self._own_at = time.monotonic()
        return [
            fix._replace(role="patrol") if fix.source == "ais" and fix.unit_id in self._own else fix for fix in fixes
        ]

    def _patiently(self, write: Callable[[], Any]) -> Any:
        """What `write` gives, tried until it can be done; nothing is read meanwhile, so senders wait."""
        pause = PAUSE_S
        while True:
            try:
                return write()
            except GeoMonitorError as error:
                if error.code not in PASSING:
                    raise
                if pause == PAUSE_S:
                    self._say(error.code, dict(error.params))
                log.warning("store: %s; again in %.1f s", error.code, pause)
                time.sleep(pause)
                pause = min(pause * 2, PAUSE_MAX_S)

    # --- sealing ----------------------------------------------------------------------------------------------------

    def _seal_now_and_then(self) -> None:
        many = self._unsealed >= self._settings.feed_seal_fixes
        least = self._settings.feed_seal_s if many else self._settings.feed_seal_most_s
        if time.monotonic() - self._sealed_at < least:
            return
        if self._sealing is not None and self._sealing.is_alive():
            return
        self._sealed_at, self._unsealed = time.monotonic(), 0
        if self._event_clock:
            self._patiently(lambda: self._seal(wait=True))
        else:
            self._sealing = threading.Thread(target=self._seal_quietly, daemon=True)
            self._sealing.start()

    def _seal_quietly(self) -> None:
        """In a thread: whatever keeps it from sealing, the fixes stay where they are and it is tried again later. A day
        that is over is compacted then."""
        try:
            self._seal(wait=False)
            now, least = datetime.now(UTC), self._settings.compact_files
            over = now - timedelta(hours=self._settings.compact_after_h)
            compact(self._store, now, "watch", end=over, least=least, most=1, wait=False)
        except GeoMonitorError as error:
            log.warning("seal: %s", error.code)
        except Exception:
            log.exception("seal")

    def _seal(self, wait: bool) -> None:
        receipts = live.seal(self._store, self._settings, datetime.now(UTC), wait=wait)
        self.done.receipts += [receipt.receipt_id for receipt in receipts]
        # what files held already is known only now; rows that an earlier run left are not counted in `stored`
        again = sum(
            receipt.rows["unchanged"] for receipt in receipts if receipt.notes[0].params["feed"] == self.done.feed
        )
        again = min(again, self.done.stored)
        self.done.stored -= again
        self.done.repeated += again

    # --- store -> events and warnings -------------------------------------------------------------------------------

    def _replay(self) -> None:
        """By the clock of the fixes: after every batch the room looks, so that its clock never runs ahead of the store."""
        with self._store.alone(ROOM) as held:
            if held is None:
                raise Refused("room_taken")
            room = Room(self._store, self._settings, event_clock=True)

            def look() -> None:
                nonlocal room
                try:
                    self._turn(room)
                except GeoMonitorError:  # what it had found and could not write is found by another, as after a fall
                    room = Room(self._store, self._settings, event_clock=True)
                    raise

            self._listen(lambda: self._patiently(look))

    def _turn(self, room: Room) -> None:
        told = room.turn(now_ms())
        self.done.events += told.events
        self.done.warnings += told.warnings

    def _keep_room(self) -> None:
        """In a thread, by the wall clock: takes the room where it is free, and looks at it until the feed has ended."""
        while not self._stop.is_set():
            try:
                with self._store.alone(ROOM) as held:
                    if held is None:
                        self._stop.wait(2.0)
                        continue
                    room = Room(self._store, self._settings)
                    while not self._stop.is_set():
                        held()
                        self._turn(room)
                        self._stop.wait(self._settings.event_beat_s)
                    self._turn(room)  # what came since
            except GeoMonitorError as error:
                log.warning("room: %s", error.code)
                self._say(error.code, dict(error.params))
                self._stop.wait(2.0)
            except Exception:
                log.exception("room")  # fixes go on being stored; events follow when it can be looked at again
                self._say("room_failed", {})
                self._stop.wait(30.0)
