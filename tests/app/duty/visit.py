"""Opens the pages of the duty in Chromium over a real workspace and tells, as JSON on stdout, what was seen. Run by
`test_browser.py`, without a network.

python -m tests.app.duty.visit FOLDER
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from selenium.common.exceptions import WebDriverException

from geo_monitor.loop.ground import Ground
from geo_monitor.workspace import Workspace
from tests.app.duty import made
from tests.app.visit import CANVAS, PACKAGE, ROOT, Visit, browser, running, wait


def served(workspace: Path, log: Path) -> contextlib.AbstractContextManager[str]:
    """The real page over a workspace, on a free port."""
    return running(PACKAGE / "served.py", ROOT, log, str(workspace))


def click(visit: Visit, css: str) -> None:
    """Clicks what a selector names, as soon as the page lets us."""

    def done() -> bool:
        try:
            visit.driver.find_element("css selector", css).click()
        except WebDriverException:  # not there yet, or covered for a moment
            return False
        return True

    wait(done, 30, css)


def clocks(visit: Visit) -> list[str]:
    script = "return [...document.querySelectorAll('.warn .left')].map(e => e.innerText)"
    return list(visit.driver.execute_script(script))


def kept(visit: Visit) -> bool:
    """Whether map and chosen warning are the very nodes that were marked."""
    script = "return !!document.querySelector('canvas[data-mark]') && !!document.querySelector('.lines[data-mark]')"
    return bool(visit.driver.execute_script(script))


def warnings(visit: Visit, url: str, held: Workspace) -> dict[str, object]:
    """The queue, its clocks, a hostile name, something typed while the world moves, a signature, both languages."""
    seen: dict[str, object] = {}
    zone, trade = (made.warning(held, name)["warning_id"] for name in ("zone", "trade"))
    visit.open(url + "warnings", "中段禁捕区")
    seen["queue"] = visit.text()
    visit.shot("warnings-queue")
    click(visit, f".st-key-duty-look-{trade} button")
    visit.until("两船会合", 30)
    seen["hostile"], seen["title"] = visit.text(), visit.driver.title
    click(visit, f".st-key-duty-look-{zone} button")
    visit.until("进入禁捕水域", 30)
    visit.shot("warnings-one")
    click(visit, ".st-key-duty-do-regrade button")
    visit.until("改为", 30)
    reason = "[class*='st-key-duty-words-'] input"
    wait(lambda: visit.driver.find_elements("css selector", reason), 30, "the reason")
    visit.driver.find_element("css selector", reason).send_keys("两次进出")
    time.sleep(4)
    mark = "for (const e of document.querySelectorAll('canvas, .lines')) e.dataset.mark = '1'"
    visit.driver.execute_script(mark)
    before = clocks(visit)
    time.sleep(7)
    seen["before"], seen["after"], seen["kept"] = before, clocks(visit), kept(visit)
    ground = Ground.of(held._store, held.settings, made.T0)
    now = round(datetime.now(UTC).timestamp() * 1000)
    made.put(held, ground, [made.event("loiter", "渔8", 112.39, now - 25 * made.MINUTE, ground)], now)
    wait(lambda: len(clocks(visit)) > len(before), 30, "the new warning")
    seen["typed"] = visit.driver.find_element("css selector", reason).get_attribute("value")
    click(visit, ".st-key-duty-do-sign button")
    visit.until("已签收。", 30)
    visit.until("反馈剩", 30)
    seen["signed"] = made.warning(held, "zone")["state"]
    visit.press("EN")
    visit.until("signed", 30)
    seen["english"], seen["address"] = visit.text(), visit.driver.current_url
    visit.open(url + f"warnings?lang=en&embed_options=dark_theme&warning={zone}", "Why")
    visit.shot("warnings-night")
    visit.driver.get(url + "warnings?wall=1")
    visit.until("中段禁捕区")
    time.sleep(3)
    visit.shot("warnings-wall")
    seen["wall"] = visit.text()
    return seen


def dispatch(visit: Visit, url: str, held: Workspace) -> dict[str, object]:
    """Who can be first, the way on the map, one sent and accepted."""
    zone = made.warning(held, "zone")["warning_id"]
    visit.open(url + f"dispatch?warning={zone}", "谁能先到")
    seen: dict[str, object] = {"first": visit.text()}
    visit.shot("dispatch")
    click(visit, "[class*='st-key-duty-send-'] button")
    visit.until("已派单 1", 30)
    accept = ".st-key-dispatch-accept button"

    def opened() -> bool:
        """The board may just be drawn anew under the click."""
        click(visit, "[class*='st-key-dispatch-open-'] button")
        time.sleep(5)
        return bool(visit.driver.find_elements("css selector", accept))

    wait(opened, 60, "the tasking")
    click(visit, accept)
    visit.until("已接单 1", 30)
    time.sleep(3)
    visit.shot("dispatch-accepted")
    seen["accepted"] = held.desk.taskings(zone)["state"].tolist()
    seen["maps"] = len(visit.driver.find_elements("css selector", CANVAS))
    visit.open(url + "?lang=en", "Warnings waiting")
    seen["situation"] = visit.text()
    return seen


def run(folder: Path) -> dict[str, object]:
    shots = Path(os.environ.get("GEO_MONITOR_SHOTS", folder))
    shots.mkdir(parents=True, exist_ok=True)
    hour_ago = round(datetime.now(UTC).timestamp() * 1000) - 60 * made.MINUTE
    held = made.night(folder / "ws", hour_ago)
    driver = browser()
    try:
        visit = Visit(driver, shots)
        with served(held.root, folder / "server.log") as url:
            seen = warnings(visit, url, held)
            seen |= dispatch(visit, url, held)
            seen["exceptions"] = visit.exceptions()
            visit.leave()
        return seen | {"outside": sorted(visit.outside), "errors": visit.errors}
    finally:
        driver.quit()


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1])), ensure_ascii=False))
