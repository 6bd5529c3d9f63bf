"""Opens the page in Chromium and tells, as JSON on stdout, what was seen. Run by `test_browser.py`, without a network.

python -m tests.app.visit FOLDER
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import ActionChains
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.actions.wheel_input import ScrollOrigin

from benchmarks.page.wire import Wire
from geo_monitor.app import data, levels, main
from geo_monitor.app.deck import fit
from geo_monitor.workspace import Workspace
from tests.app import fake

PACKAGE = Path(main.__file__).parent
ROOT = Path(__file__).parents[2]
CANVAS = "[data-testid=stDeckGlJsonChart] canvas"
AREA = ("river", "长江", 950.0, 960.0)


@contextlib.contextmanager
def served(folder: Path, empty: bool) -> Iterator[str]:
    """The page on a free port; `static/` and the settings lie beside the script, as in the package."""
    folder.mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("page.py"), folder / "page.py")
    for name in ("static", ".streamlit"):
        (folder / name).symlink_to(PACKAGE / name)
    with running(Path("page.py"), folder, folder / "server.log", FAKE_EMPTY="1" if empty else "0") as url:
        yield url


@contextlib.contextmanager
def running(page: Path, folder: Path, log: Path, *arguments: str, **variables: str) -> Iterator[str]:
    """A page served from `folder` on a free port, with what stands behind `--`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    command = [sys.executable, "-m", "streamlit", "run", str(page), "--server.address", "127.0.0.1"]
    command += ["--server.port", str(port), "--", *arguments]
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=out, stderr=subprocess.STDOUT)
        try:
            url = f"http://127.0.0.1:{port}/"
            wait(lambda: answers(url + "_stcore/health"), 60, "the server")
            yield url
        finally:
            process.terminate()
            process.wait()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


def wait(done, seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.2)


def browser() -> webdriver.Chrome:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or "chromium"
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--enable-unsafe-swiftshader"):
        options.add_argument(flag)
    options.add_argument("--window-size=1440,980")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    # errors as text: the log of the driver only says "Error"
    told = (
        "console.error = (old => (...all) => {"
        " (window.errors = window.errors || []).push(all.map(x => x && x.message || String(x)).join(' '));"
        " old(...all) })(console.error)"
    )
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": told})
    return driver


class Visit:
    """One browser; `seen` gathers what the tests ask about."""

    def __init__(self, driver: webdriver.Chrome, shots: Path) -> None:
        self.driver, self.shots = driver, shots
        self.downloads = shots / "downloads"
        shutil.rmtree(self.downloads, ignore_errors=True)
        self.downloads.mkdir()
        told = {"behavior": "allow", "downloadPath": str(self.downloads)}
        driver.execute_cdp_cmd("Browser.setDownloadBehavior", told)
        self.outside: set[str] = set()
        self.asked: set[str] = set()
        self.errors: list[str] = []

    def text(self) -> str:
        return str(self.driver.execute_script("return document.body.innerText"))

    def until(self, words: str, seconds: float = 60) -> None:
        wait(lambda: re.search(words, self.text()), seconds, f"{words!r} in the page")

    def open(self, url: str, words: str, loaded: str = "glyphs/map/") -> None:
        """Opens `url` until `words` are in the page and the base map has asked for its glyphs (its last wish)."""
        self.driver.get(url)
        wait(lambda: self.driver.execute_script(f"return !!document.querySelector('{CANVAS}')"), 120, "the map")
        self.until(words)
        wait(lambda: self.log() and any(loaded in address for address in self.asked), 90, "the base map")
        rest = "return !document.querySelector('.st-key-more')"  # gone once all is drawn, not only what comes first
        wait(lambda: self.driver.execute_script(rest), 60, "what comes after the first picture")
        time.sleep(4)  # software drawing

    def log(self) -> bool:
        """Reads what was requested and what the console says."""
        for address in re.findall(r'"url":"((?:https?|wss?)://[^"]+)', str(self.driver.get_log("performance"))):
            (self.asked if re.match(r"\w+://127\.0\.0\.1[:/]", address) else self.outside).add(address)
        self.errors += self.driver.execute_script("const e=window.errors||[];window.errors=[];return e")
        for entry in self.driver.get_log("browser"):
            # below a page's own path Streamlit first asks for its server there, is told 404, and finds it at the root
            if entry["level"] == "SEVERE" and not re.search(
                r"/\w+/_stcore/\S+ - Failed to load.* 404", entry["message"]
            ):
                self.errors.append(entry["message"])
        return True

    def leave(self) -> None:
        """Reads the last of the log and goes away, so that a stopped server is no error of the page."""
        self.log()
        self.driver.get("about:blank")

    def press(self, words: str) -> None:
        """Clicks the button with these words, as soon as the page, which may be drawn anew meanwhile, lets us."""

        def done() -> bool:
            try:
                self.driver.find_element("xpath", f"//button[.//p[text()='{words}'] or text()='{words}']").click()
            except WebDriverException:  # not there yet, or covered for a moment: wait() asks again
                return False
            return True

        wait(done, 30, f"the button {words!r}")

    def tab(self, words: str) -> None:
        """Opens the tab of this name."""

        def done() -> bool:
            try:
                found = [one for one in self.driver.find_elements("css selector", "[role=tab]") if one.text == words]
                if found:
                    found[0].click()
                return bool(found)
            except WebDriverException:
                return False

        wait(done, 30, f"the tab {words!r}")

    def clock(self) -> str:
        """The moment shown, as text."""
        found = re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", self.text())
        return found.group() if found else ""

    def exceptions(self) -> int:
        return len(self.driver.find_elements("css selector", "[data-testid=stException], .stException"))

    def shot(self, name: str) -> None:
        self.driver.save_screenshot(str(self.shots / f"{name}.png"))

    def click(self, lon: float, lat: float, view: dict[str, float], answered: Callable[[], object]) -> None:
        """Clicks the map at a place, with the pause the chart needs before it knows what lies under the pointer; again where a
        browser that is busy drawing let the click pass."""
        scale = 512 * 2 ** view["zoom"]
        dx = (lon - view["longitude"]) / 360 * scale
        dy = (_y(lat) - _y(view["latitude"])) * scale
        for attempt in range(5):
            canvas = self.driver.find_element("css selector", CANVAS)  # it may have been drawn anew
            pointer = (
                ActionChains(self.driver)
                .move_to_element(canvas)
                .move_to_element_with_offset(canvas, round(dx), round(dy))
            )
            pointer.pause(2).click().perform()
            with contextlib.suppress(TimeoutError):
                wait(answered, 15, f"an answer to click {attempt + 1}")
                return
        raise TimeoutError(f"nothing at {lon}, {lat}")


def _y(lat: float) -> float:
    return (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2


def hotspots(visit: Visit, url: str) -> dict[str, object]:
    """The page of the hotspots: a click on a reach, both languages and themes, hostile names on the map."""
    reaches = fake.network()
    frame = levels.joined(fake.hotspots(reaches), reaches, fake.END)
    area = data.in_area(frame, AREA)
    view = fit(data.bounds(AREA, area))
    # a reach away from the ends of the stretch, and from seizures that would lie over it
    reports = fake.seizures(reaches)
    main_channel = area[area["side"].isna()].sort_values("km_from").iloc[4:-4]
    gaps = [((reports["lon"] - r.lon) ** 2 + (reports["lat"] - r.lat) ** 2).min() for r in main_channel.itertuples()]
    chosen = main_channel.iloc[gaps.index(max(gaps))]
    seen: dict[str, object] = {}
    page = url + "hotspots"
    visit.open(page + f"?area={quote('river|长江|950|960')}", "长江禁捕执法地图")
    visit.click(chosen["lon"], chosen["lat"], view, lambda: "所选江段及上下游" in visit.text())
    place = f"K{chosen['km_from']:.1f}".removesuffix(".0")
    visit.until("所选江段及上下游", 20)  # the last the panel says
    seen["clicked"], seen["said"] = place, visit.text()
    visit.shot("reach-day-zh")
    visit.press("EN")
    visit.until("Clear selection", 30)  # the panel is the last to be said anew, and what was chosen stays chosen
    seen["english"], seen["address"] = visit.text(), visit.driver.current_url
    visit.tab("Intervals")
    visit.until("hours patrolled", 30)
    visit.tab("Compare")
    visit.until("There is one analysis only", 30)
    visit.open(page + "?lang=en&embed_options=dark_theme", "Yangtze fishing-ban map")
    visit.shot("basin-night-en")
    visit.open(page, "演示数据")
    visit.shot("basin-day-zh")
    seen["banner"] = visit.text()
    visit.open(page + "?area=city%7C421000", "荆州市")
    visit.shot("city-day-zh")
    seen["title"] = visit.driver.title
    seen["exceptions"] = visit.exceptions()
    seen["maps"] = len(visit.driver.find_elements("css selector", CANVAS))
    return seen


def situation(visit: Visit, url: str) -> dict[str, object]:
    """The first page: the last fix where nothing is live, a unit clicked and its page to print, a replay, an address."""
    seen: dict[str, object] = {}
    visit.open(url, "需要决定的事")
    seen["first"], seen["first_address"] = visit.text(), visit.driver.current_url
    visit.shot("situation-day-zh")
    # a patrol of `fake.positions` that has just gone half its way, and the water around it
    reaches = fake.network()
    fixes = fake.positions(reaches).to_pandas()
    one = fixes[fixes["patrol_id"] == "P0"].sort_values("time").iloc[40]
    main = reaches[(reaches["river"] == "长江") & reaches["side"].isna()]
    km = float(main.loc[(main["lon"] - one["lon"]).abs().idxmin(), "km_from"])
    area = ("river", "长江", float(int(km) - 12), float(int(km) + 12))
    frame = levels.joined(fake.hotspots(reaches), reaches, fake.END)
    view = fit(data.bounds(area, data.in_area(frame, area)))
    when = one["time"].tz_convert("Asia/Shanghai").ceil("min")
    address = url + f"?area={quote(f'river|长江|{area[2]:g}|{area[3]:g}')}&at={when:%Y-%m-%dT%H:%M}"
    visit.open(address, "定格")
    visit.shot("situation-still")
    seen["still"] = visit.text()
    visit.click(one["lon"], one["lat"], view, lambda: "打印一页带走" in visit.text())
    seen["brief"], seen["brief_address"] = visit.text(), visit.driver.current_url
    seen["unit"] = one["unit_id"]
    visit.shot("situation-brief")
    visit.press("打印一页带走（PDF）")
    wait(lambda: list(visit.downloads.glob("*.pdf")), 30, "the page to print")
    seen["pdf"] = next(visit.downloads.glob("*.pdf")).read_bytes()[:5].decode()
    before = visit.clock()
    visit.press("回放")
    visit.until("回放，60 倍速", 30)
    wait(lambda: visit.clock() > before, 30, "the clock of the replay")
    canvas = visit.driver.find_element("css selector", CANVAS)
    time.sleep(4)
    seen["same_map"] = canvas.is_displayed()  # a map drawn anew would have left this one stale
    visit.press("暂停")
    visit.until("定格", 30)
    seen["replayed"] = [before, visit.clock()]
    seen["paused_address"] = visit.driver.current_url
    seen["barred"] = clicked_bar(visit)
    visit.press("实时")
    visit.until("实时；", 30)
    seen["live"] = visit.text()
    visit.open(url + "?lang=en&embed_options=dark_theme", "What needs a decision")
    visit.shot("situation-night-en")
    seen["night"] = visit.text()
    seen["situation_exceptions"] = visit.exceptions()
    return seen


def clicked_bar(visit: Visit) -> list[str]:
    """The day of a bar that is clicked, and the moment shown then."""
    chart = "document.querySelector('.st-key-chart-days [data-testid=stBidiComponentIsolated]').shadowRoot"
    bar = f"{chart}.querySelectorAll('[data-day]')[20]"
    wait(lambda: visit.driver.execute_script(f"return !!{bar}"), 30, "the chart of days")
    day = str(visit.driver.execute_script(f"return {bar}.dataset.day"))
    visit.driver.execute_script(
        f"{bar}.querySelector('.hit').dispatchEvent(new MouseEvent('click', {{bubbles: true}}))"
    )
    wait(lambda: visit.clock()[:10] == day, 30, "the night of that day")
    return [day, visit.clock()]


def views(visit: Visit, url: str) -> dict[str, object]:
    """The map dragged and zoomed by hand; the address that results, opened by a colleague."""
    seen: dict[str, object] = {}

    def address() -> dict[str, str]:
        return dict(parse_qsl(urlsplit(visit.driver.current_url).query))

    def changed(gesture: Callable[[], object]) -> dict[str, str]:
        """The address after a gesture, which is made again where a browser that is busy drawing let it pass."""
        before = address()
        for _ in range(8):
            gesture()
            with contextlib.suppress(TimeoutError):
                wait(lambda: address() != before, 8, "another address")
                break
        time.sleep(1.5)  # the view settles, and is written down twice a second
        return address()

    def zoom() -> None:
        ActionChains(visit.driver).scroll_from_origin(ScrollOrigin.from_element(canvas), 0, -400).perform()

    def drag() -> None:
        moves = ActionChains(visit.driver).move_to_element(canvas).click_and_hold()
        for _ in range(8):
            moves = moves.move_by_offset(-10, 5).pause(0.1)
        moves.pause(0.5).release().perform()

    visit.open(url + f"?area={quote('river|长江|950|960')}&at=2026-05-31T20:00", "定格")
    visit.log()
    seen["untouched"] = address()
    canvas = visit.driver.find_element("css selector", CANVAS)
    seen["zoomed"] = changed(zoom)
    seen["dragged"] = changed(drag)
    # what the browser told the server meanwhile: nothing
    seen["told"] = str(visit.driver.get_log("performance")).count("Network.webSocketFrameSent")
    visit.press("EN")
    visit.until("What needs a decision", 30)
    time.sleep(1.5)
    seen["after_a_rerun"] = address()
    seen["night_link"] = visit.driver.find_elements("css selector", "a.theme")[1].get_attribute("href")
    # the colleague: another session, told by a click that hits a reach only if the view is the very same
    sent = visit.driver.current_url
    visit.driver.get("about:blank")
    visit.open(sent, "What needs a decision")
    longitude, latitude, zoom = map(float, str(address()["view"]).split(","))
    reaches = fake.network()
    near = reaches[(reaches["river"] == "长江") & reaches["side"].isna() & (reaches["kind"] == "channel")]
    reach = near.loc[((near["lon"] - longitude) ** 2 + (near["lat"] - latitude) ** 2).idxmin()]
    seen["opened"] = address()
    sent_view = {"longitude": longitude, "latitude": latitude, "zoom": zoom}
    visit.click(reach["lon"], reach["lat"], sent_view, lambda: "pick" in address())
    seen["picked"], seen["reach"] = address()["pick"], str(reach["reach_id"])
    visit.shot("view-of-an-address")
    visit.open(url + "?view=" + quote("112,30,</script><img src=x onerror=alert(1)>"), "需要决定的事")
    seen["hostile"] = address()
    return seen


# what stands in the place of the uploader's own words, which must be too small to see
STANDING = """
const found = [...document.querySelectorAll('[data-testid=stFileUploader], [data-testid=stFileUploader] *')].map(at => {
  const told = getComputedStyle(at, '::after');
  if (!/^"./.test(told.content) || parseFloat(told.fontSize) < 10) return null;
  const own = at.textContent.trim();
  return [JSON.parse(told.content), parseFloat(getComputedStyle(at).fontSize) ? '' : own];
});
return found.filter(Boolean);
"""
# what a screen reader is told of buttons, and of what went wrong
NAMED = """
const found = document.querySelectorAll('[data-testid=stFileUploader] :is(input, button, [role=alert])');
return [...found].map(at => at.getAttribute('aria-label') || at.textContent);
"""
DRAGGED = """
const data = new DataTransfer(), at = document.querySelector('[data-testid=stFileUploaderDropzone]');
data.items.add(new File(['x'], 'x.csv'));
at.dispatchEvent(new DragEvent(arguments[0], {bubbles: true, dataTransfer: data}));
"""


def uploader(visit: Visit, url: str, folder: Path) -> dict[str, object]:
    """The words of the file uploader by language: lying there, with a file over it, and with one that is too large."""
    seen: dict[str, object] = {}
    large = folder / "large.csv"
    with large.open("wb") as out:
        out.truncate(201 * 2**20)  # a file of zeros that takes no room
    for lang, more in (("zh", ""), ("en", "&embed_options=dark_theme")):
        visit.driver.get(f"{url}data?lang={lang}{more}")
        wait(lambda: visit.driver.execute_script(STANDING), 60, "the uploader")
        shown = {"lying": visit.driver.execute_script(STANDING)}
        visit.shot(f"uploader-{lang}")
        visit.driver.execute_script(DRAGGED, "dragenter")
        wait(lambda: len(visit.driver.execute_script(STANDING)) > 2, 20, "the words over the uploader")
        shown["over"] = visit.driver.execute_script(STANDING)
        visit.shot(f"uploader-over-{lang}")
        visit.driver.execute_script(DRAGGED, "dragleave")
        visit.driver.find_element("css selector", "input[type=file]").send_keys(str(large))
        wait(
            lambda: visit.driver.find_elements("css selector", "[data-testid=stFileChip][aria-invalid]"), 20, "the chip"
        )
        shown["large"] = visit.driver.execute_script(STANDING)
        shown["named"] = visit.driver.execute_script(NAMED)
        visit.shot(f"uploader-large-{lang}")
        seen[lang] = shown
    return seen


def opening(url: str) -> int:
    """Bytes to a browser that was never here, until all is drawn and ten seconds on."""
    with Wire(int(url.rstrip("/").rpartition(":")[2])) as wire:
        driver = browser()
        try:
            driver.get(wire.url)
            last = "return !!document.querySelector('.st-key-chart-night')"
            wait(lambda: driver.execute_script(last), 60, "the charts")
            time.sleep(10)
            return sum(wire.counts.values())
        finally:
            driver.quit()


def sending(visit: Visit, url: str, held: Workspace, file: Path) -> dict[str, object]:
    """The page of the data: a file is sent, stopped, and sent again to its receipt; the bar is seen both times."""
    seen: dict[str, object] = {}

    def take() -> None:
        ready = ".st-key-take button:not([disabled])"  # once the server has the file, and nothing is under way
        wait(lambda: visit.driver.find_elements("css selector", ready), 30, "a file to take in")
        visit.press("入库")
        visit.until("正在启动|等待其他写入结束|读取并检查文件")
        visit.until("可以离开本页")

    visit.driver.get(url + "data")
    visit.until("先看看")
    visit.driver.find_element("css selector", "input[type=file]").send_keys(str(file))
    wait(
        lambda: "移除 long.csv" in visit.driver.execute_script(NAMED),
        30,
        "the name of the button that puts a file away",
    )
    take()
    seen["sending"] = visit.text()
    visit.press("停止")
    visit.until("已停止，没有留下任何内容")
    seen["kept_when_stopped"] = len(held.table("receipts"))
    seen["left_when_stopped"] = [path.name for path in held.root.glob(".tmp-*")]
    take()
    visit.shot("data-sending")
    visit.tab("质量评分")  # the rest of the page goes on
    visit.until("已入库", 120)
    visit.shot("data-receipt")
    seen["receipt"] = visit.text()
    seen["rows_kept"] = held._store.positions().num_rows
    visit.press("收起")
    wait(lambda: "已入库" not in visit.text(), 30, "the receipt put away")
    seen["sending_exceptions"] = visit.exceptions()
    return seen


def run(folder: Path) -> dict[str, object]:
    shots = Path(os.environ.get("GEO_MONITOR_SHOTS", folder))
    shots.mkdir(parents=True, exist_ok=True)
    driver = browser()
    try:
        visit = Visit(driver, shots)
        with served(folder / "full", empty=False) as url:
            seen = hotspots(visit, url)
            seen |= situation(visit, url)
            seen["views"] = views(visit, url)
            visit.leave()
        with served(folder / "empty", empty=True) as url:
            visit.open(url, "还没有分析结果")
            visit.shot("empty")
            seen["empty"] = visit.text()
            visit.open(url + "hotspots", "还没有分析结果")
            seen["empty_hotspots"] = visit.text()
            visit.leave()
        held = Workspace.create(folder / "ws")
        with running(PACKAGE / "served.py", ROOT, folder / "sending.log", str(held.root)) as url:
            seen["opening"] = opening(url)
            seen["uploader"] = uploader(visit, url, folder)
            seen |= sending(visit, url, held, fake.long_file(folder / "long.csv"))
            visit.leave()
        seen |= {"outside": sorted(visit.outside), "errors": visit.errors, "asked": sorted(visit.asked)}
        return seen
    finally:
        driver.quit()


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1])), ensure_ascii=False))
