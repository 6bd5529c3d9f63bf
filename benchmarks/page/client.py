"""Somebody who looks at the page, without a browser: speaks Streamlit's protocol over a websocket as its browser does.

`Looker` opens a page, answers the clock of its fragments by asking for them again at their interval, tells which messages it
holds already, and notes what each run cost: seconds from asking to the end of the run, bytes of the messages, bytes on the
wire. `python -m benchmarks.page.client PLAN` runs many of them in a process of their own and prints what they noted.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from websockets.asyncio.client import ClientConnection, connect

HELD_RUNS = 2  # runs after which the browser forgets a message it was not sent again
MESSAGE_MAX = 200 * 2**20


@dataclass
class Run:
    """One run of the script: the whole page or, `tick`, a fragment of it. Times are of `time.time()`; `map`: when the map
    came, 0 if it did not."""

    tick: bool
    asked: float
    begun: float
    map: float = 0.0
    ended: float = 0.0
    ok: bool = True
    payload: int = 0
    wire: int = 0

    @property
    def seconds(self) -> float:
        return self.ended - self.asked


@dataclass
class Noted:
    """What a `Looker` saw. `marks`: number told by the place of the marked unit -> when it was first seen."""

    query: str
    runs: list[Run] = field(default_factory=list)
    kinds: dict[str, int] = field(default_factory=dict)
    marks: dict[str, float] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


class Counted(ClientConnection):
    """A connection that counts what comes over the wire, as compressed."""

    wire = 0

    def data_received(self, data: bytes) -> None:
        self.wire += len(data)
        super().data_received(data)


class Looker:
    """A visitor of `url` with that query string. `ticking`: whether it asks again when a fragment wants to."""

    def __init__(self, url: str, query: str = "", ticking: bool = True, marker: str = "", page: str = "") -> None:
        self.noted = Noted(query)
        self.widgets: dict[str, WidgetState] = {}
        self.known: dict[str, str] = {}  # the key of a widget -> its id
        self.options: dict[str, list[str]] = {}  # the key of a widget -> what it offers
        self._address = re.sub("^http", "ws", url) + "_stcore/stream"
        self._origin, self._page, self._ticking = url.rstrip("/"), page, ticking
        self._marker = re.compile(rf'"id":"unit\|{marker}"[^}}]*?"position":\[([\d.]+),') if marker else None
        self._held: dict[str, tuple[int, str]] = {}  # hash -> number of the run it was last sent in, text of its map
        self._clocks: dict[str, tuple[float, asyncio.Task[None]]] = {}
        self._asked: list[tuple[float, bool]] = []
        self._run: Run | None = None
        self._script, self._ended = "", asyncio.Event()
        self._socket: Counted | None = None
        self._hearing: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connects and asks for the page."""
        self._socket = await connect(  # type: ignore[assignment]
            self._address,
            subprotocols=["streamlit"],  # type: ignore[list-item]
            origin=self._origin,  # type: ignore[arg-type]
            create_connection=Counted,
            max_size=MESSAGE_MAX,
            ping_interval=None,
        )
        self._hearing = asyncio.create_task(self._hear())
        await self.ask()

    async def close(self) -> None:
        for _, task in self._clocks.values():
            task.cancel()
        if self._socket is not None:
            await self._socket.close()
        if self._hearing is not None:
            await asyncio.gather(self._hearing, return_exceptions=True)

    async def ask(self, fragment: str = "") -> None:
        """Asks for a run of the page, or of a fragment of it."""
        message = BackMsg()
        wish = message.rerun_script
        wish.query_string, wish.page_name, wish.page_script_hash = self.noted.query, self._page, self._script
        wish.widget_states.CopyFrom(WidgetStates(widgets=list(self.widgets.values())))
        wish.fragment_id, wish.is_auto_rerun = fragment, bool(fragment)
        wish.cached_message_hashes.extend(self._held)
        wish.context_info.timezone, wish.context_info.timezone_offset = "Asia/Shanghai", -480
        wish.context_info.locale, wish.context_info.url = "zh-CN", self._origin
        wish.context_info.color_scheme = "light"
        self._asked.append((time.time(), bool(fragment)))
        self._ended.clear()
        if self._socket is not None:
            await self._socket.send(message.SerializeToString())

    async def settled(self, seconds: float) -> Run:
        """The run asked for last, once it has ended."""
        await asyncio.wait_for(self._ended.wait(), seconds)
        return self.noted.runs[-1]

    def choose(self, key: str, *numbers: int, many: bool = False) -> None:
        """Makes a choice in the widget of that key, to be sent with the next wish: the options of these numbers."""
        words = [self.options[key][number] for number in numbers]
        state = WidgetState(id=self.known[key])
        if many:
            state.string_array_value.data.extend(words)
        else:
            state.string_value = words[0]
        self.widgets[key] = state

    async def _hear(self) -> None:
        socket = self._socket
        assert socket is not None
        before = socket.wire
        try:
            async for data in socket:
                if isinstance(data, bytes):
                    await self._take(data, socket.wire - before)
                    before = socket.wire
        except Exception as error:  # noqa: BLE001  whatever it is, it is told
            self.noted.errors.append(repr(error))
        finally:
            self._ended.set()

    async def _take(self, data: bytes, wire: int) -> None:
        now, message = time.time(), ForwardMsg.FromString(data)
        kind = str(message.WhichOneof("type"))
        self.noted.kinds[kind] = self.noted.kinds.get(kind, 0) + 1
        if kind == "new_session":
            self._script = message.new_session.page_script_hash
            if not message.metadata.run.fragment_ids:  # the whole page: as browsers do
                for name in list(self._clocks):
                    self._stop(name)
            asked, tick = self._asked[0] if self._asked else (now, False)
            self._asked.clear()  # wishes that came together are answered by one run
            self._run = Run(tick, asked, now)
        if self._run is not None:
            self._run.payload += len(data)
            self._run.wire += wire
        if kind == "delta" or kind == "ref_hash":
            self._delta(message, now)
        elif kind == "auto_rerun" and self._ticking:
            self._clock(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "stop_auto_rerun":
            for name in message.stop_auto_rerun.fragment_ids:
                self._stop(name)
        elif kind == "script_finished":
            self._finish(message.script_finished, now)

    def _delta(self, message: ForwardMsg, now: float) -> None:
        count = len(self.noted.runs)
        if message.WhichOneof("type") == "ref_hash":
            if message.ref_hash in self._held:
                text = self._held[message.ref_hash][1]
                self._held[message.ref_hash] = (count, text)
                self._map(text, now)
            else:
                self.noted.errors.append("told of a message that was never sent")
            return
        element = message.delta.new_element
        kind = element.WhichOneof("type") if message.delta.WhichOneof("type") == "new_element" else None
        text = ""
        if kind == "deck_gl_json_chart":
            text = element.deck_gl_json_chart.json
            self._map(text, now)
        elif kind in ("button_group", "selectbox"):
            widget = getattr(element, kind)
            self.known[_key(widget.id)] = widget.id
            self.options[_key(widget.id)] = [getattr(option, "content", option) for option in widget.options]
        elif kind == "exception":
            self.noted.errors.append(element.exception.message)
        if message.metadata.cacheable:
            self._held[message.hash] = (count, text)

    def _map(self, text: str, now: float) -> None:
        if text and self._run is not None:
            self._run.map = now
        found = self._marker.search(text) if self._marker and text else None
        if found:
            self.noted.marks.setdefault(found[1], now)

    def _finish(self, status: int, now: float) -> None:
        run = self._run
        if run is None:
            return
        if status == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            # the run that follows answers what this one was asked
            self._asked.insert(0, (run.asked, run.tick))
            return
        run.ended, run.ok = now, status != ForwardMsg.FINISHED_WITH_COMPILE_ERROR
        self.noted.runs.append(run)
        self._run = None
        count = len(self.noted.runs)
        self._held = {name: told for name, told in self._held.items() if count - told[0] <= HELD_RUNS}
        self._ended.set()

    def _clock(self, name: str, interval: float) -> None:
        if name in self._clocks and self._clocks[name][0] == interval:
            return
        self._stop(name)
        self._clocks[name] = (interval, asyncio.create_task(self._tick(name, interval)))

    def _stop(self, name: str) -> None:
        if name in self._clocks:
            self._clocks.pop(name)[1].cancel()

    async def _tick(self, name: str, interval: float) -> None:
        due = time.monotonic()
        while True:
            due += interval
            await asyncio.sleep(max(due - time.monotonic(), 0))
            await self.ask(name)


def _key(name: str) -> str:
    """The key in the id of a widget: `$$ID-hash-key`."""
    return name.split("-", 2)[2] if name.count("-") >= 2 else name


async def together(
    url: str, queries: list[str], seconds: float, apart_s: float, marker: str = "", stop: Path | None = None
) -> list[dict[str, Any]]:
    """Visitors who come `apart_s` after one another and stay until `seconds` after the last, or until `stop` is there."""
    lookers = [Looker(url, query, marker=marker) for query in queries]
    try:
        for looker in lookers:
            await looker.open()
            await asyncio.sleep(apart_s)
        end = time.monotonic() + seconds
        while time.monotonic() < end and not (stop and stop.exists()):
            await asyncio.sleep(0.2)
    finally:
        await asyncio.gather(*(looker.close() for looker in lookers))
    return [asdict(looker.noted) for looker in lookers]


def plan(path: Path) -> Mapping[str, Any]:
    told: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return told


if __name__ == "__main__":
    wanted = plan(Path(sys.argv[1]))
    answer = asyncio.run(
        together(
            wanted["url"], wanted["queries"], wanted["seconds"], wanted["apart_s"], wanted["marker"],
            Path(wanted["stop"]) if wanted.get("stop") else None,
        )
    )  # fmt: skip
    Path(wanted["output"]).write_text(json.dumps(answer), encoding="utf-8")
