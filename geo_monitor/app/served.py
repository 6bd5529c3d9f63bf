"""The server of the page: Streamlit's own, ready before it answers, with its files packed. `streamlit run` gets this file.

`geo-monitor app` starts it; `app.py` of the repository is the same for `streamlit run app.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from starlette.middleware import Middleware
from streamlit import App
from streamlit.logger import get_logger
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime import get_instance
from streamlit.runtime.session_manager import SessionClient

from geo_monitor.app.packed import Packed, beforehand
from geo_monitor.errors import GeoMonitorError

if TYPE_CHECKING:
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

READY_S = 60.0  # seconds after which it answers even where the first page is not made yet
SCOPES = 4  # sets of rights for which the first page is made: those of whoever was here last


class Nobody(SessionClient):
    """Somebody who asks for the first page and looks at nothing of it."""

    def __init__(self) -> None:
        self.done = asyncio.Event()

    def write_forward_msg(self, msg: ForwardMsg) -> None:
        if msg.WhichOneof("type") == "script_finished":
            self.done.set()


@asynccontextmanager
async def ready(app: App) -> AsyncIterator[None]:
    """Makes the first page before anybody is let in, so that nobody waits for what is read and loaded once."""
    try:
        async with asyncio.timeout(READY_S):
            await asyncio.gather(look_once(), beforehand(app))  # packing leaves the interpreter to the page
            await asyncio.to_thread(prepare)
    except Exception as error:  # noqa: BLE001  the page itself will tell whoever comes what is wrong, in words
        ours = not isinstance(error, GeoMonitorError)
        get_logger(__name__).warning("the first page could not be made beforehand: %s", error, exc_info=ours)
    yield


async def look_once() -> None:
    """Opens the first page as a browser would, without one, and waits until it is made: at once, and then all of it."""
    runtime, nobody = get_instance(), Nobody()
    session = runtime.connect_session(nobody, {})
    wish = BackMsg()
    wish.rerun_script.query_string = ""
    try:
        for _ in range(2):
            nobody.done.clear()
            runtime.handle_backmsg(session, wish)
            await nobody.done.wait()
    finally:
        runtime.close_session(session)


def prepare() -> None:
    """Reads and draws what the first page shows; where everybody signs in, to those who were here last."""
    from geo_monitor.app import controls, data, door, situation
    from geo_monitor.store.rights import OWNER

    path = str(data.location())
    accounts = data.workspace(path).accounts
    viewers = accounts.looking(datetime.now(UTC)) if accounts.any() else [OWNER]
    for scope in list(dict.fromkeys(door.key(path, one) for one in viewers if "read" in one.rights))[:SCOPES]:
        situation.prepare(scope, controls.usual_language())


app = App("main.py", lifespan=ready, middleware=[Middleware(Packed)])
