"""Signs in as one county and then as the other, in Chromium, and tells as JSON what the pages said. Run by `test_door.py`.

python -m tests.app.signing FOLDER
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests import counties
from tests.app.visit import Visit, answers, browser, wait

PORT = 18517


def enter(visit: Visit, name: str, word: str) -> None:
    inputs = "[data-testid=stForm] input"
    wait(lambda: len(visit.driver.find_elements(By.CSS_SELECTOR, inputs)) == 2, 30, "the fields of the form")
    fields = visit.driver.find_elements(By.CSS_SELECTOR, inputs)
    for field, text in zip(fields, (name, word), strict=True):
        field.send_keys(Keys.CONTROL + "a")
        field.send_keys(text)
    fields[-1].send_keys(Keys.ENTER)


def sign_in(visit: Visit, name: str) -> None:
    """Signs in and waits for the map; what was typed while the page was still being drawn is typed again."""
    for last in (False, False, True):
        enter(visit, name, counties.WORD)
        try:
            visit.until(rf"{name}[\s\S]*\d+ 段中", 90)
            return
        except TimeoutError:
            if last or not visit.driver.find_elements(By.CSS_SELECTOR, "[data-testid=stForm] input"):
                raise


def click(visit: Visit, words: str) -> None:
    press(visit, "xpath", f"//button[.//p[normalize-space(.)='{words}']]", words)


def tab(visit: Visit, number: int) -> None:
    press(visit, By.CSS_SELECTOR, f"[role=tab]:nth-of-type({number + 1})", "the tabs")


def press(visit: Visit, how: str, path: str, what: str) -> None:
    """Clicks the first such thing that can be seen, as soon as the page, which may be drawn anew meanwhile, lets us."""

    def done() -> bool:
        try:
            shown = [one for one in visit.driver.find_elements(how, path) if one.is_displayed() and one.is_enabled()]
            if shown:
                shown[0].click()
            return bool(shown)
        except WebDriverException:  # drawn anew, or covered for a moment: wait() asks again
            return False

    wait(done, 60, what)


def choose(visit: Visit, kind: str) -> None:
    """The kind of upload, in a list that a page drawn anew shuts again."""

    def done() -> bool:
        driver = visit.driver
        try:
            named = [one for one in driver.find_elements(By.CSS_SELECTOR, "[role=option]") if one.text == kind]
            if named:
                named[0].click()
                return True
            driver.find_elements(By.CSS_SELECTOR, "[data-testid=stSelectbox] input")[0].click()
            time.sleep(1)
        except (WebDriverException, IndexError):
            return False
        return False

    wait(done, 60, kind)


def data_page(visit: Visit, url: str, folder: Path) -> dict[str, str]:
    """Looks at a file before it counts, takes it in, and chooses between two readings of another."""
    told = {}
    good, unsure = folder / "good.csv", folder / "unsure.csv"
    good.write_text("编号,名称,平台\nYC艇77,宜昌渔政77,船\n@@=x,坏名,船\n", encoding="gbk")
    unsure.write_text("案件编号,查获时间,x,y\nYC案9,2026-05-02 01:00,456000,3320000\n", encoding="utf-8")
    visit.driver.get(url + "data")
    visit.until("数据报送")
    for file, kind in ((good, "巡护单元"), (unsure, "查获案件")):
        choose(visit, kind)
        visit.driver.find_elements(By.CSS_SELECTOR, "input[type=file]")[0].send_keys(str(file))
        visit.until(file.name)
        if file is good:
            click(visit, "先看看")
            visit.until("只是预览")
            visit.until("新增 2")
            told["preview"] = visit.text()
            visit.shot("preview")
        click(visit, "入库")
        # the preview told the same counts: they are those of the receipt once its notice is gone
        wait(lambda: "只是预览" not in visit.text(), 60, "the end of the preview")
        visit.until("新增 2，更正 0" if file is good else "可能的读法")
        visit.driver.get(url + "data")
        visit.until("数据报送")
    tab(visit, 1)
    visit.until("EPSG:4546")
    visit.until("按 EPSG:4547 入库")
    told["choice"] = visit.text()
    visit.shot("choice")
    click(visit, "按 EPSG:4546 入库")
    visit.until("新增 1")
    visit.driver.get(url + "data")
    tab(visit, 1)
    visit.until("没有等待选择读法的文件")
    told["done"] = visit.text()
    return told


def run(folder: Path) -> dict[str, object]:
    office = counties.office(folder)
    url = f"http://127.0.0.1:{PORT}/"
    command = [sys.executable, "-m", "geo_monitor", "--workspace", str(office.root), "app", "--no-browser"]
    server = subprocess.Popen([*command, "--port", str(PORT)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    shots = Path(os.environ.get("GEO_MONITOR_SHOTS", folder))
    driver = browser()
    seen: dict[str, object] = {}
    try:
        wait(lambda: answers(url + "_stcore/health"), 60, "the server")
        visit = Visit(driver, shots)
        driver.get(url)
        visit.until("密码")
        seen["before"] = visit.text()
        visit.shot("sign-in")
        enter(visit, "荆州员", "猜一个不对的密码")
        visit.until("不正确")
        sign_in(visit, "荆州员")
        seen["here"] = visit.text()
        visit.shot("signed-in")
        driver.get(url + "?lang=zh")
        visit.until(r"\d+ 段中", 120)  # the cookie carries the session over a reload
        visit.until("荆州员")
        click(visit, "退出")
        visit.until("密码")
        driver.get(url)
        visit.until("密码")  # the old cookie opens nothing any more
        sign_in(visit, "宜昌员")
        seen["there"] = visit.text()
        seen |= data_page(visit, url, folder)
        visit.driver.get(url + "administration")
        visit.until("没有.*权限|不能", 60)
        seen["refused"] = visit.text()
        click(visit, "退出")
        visit.until("密码")
        enter(visit, "管理员", counties.WORD)
        visit.until("新建账号", 90)  # who only administers begins there
        seen["managed"] = visit.text()
        visit.shot("administration")
        visit.log()
        seen["outside"], seen["errors"] = sorted(visit.outside), visit.errors
    except Exception:
        driver.save_screenshot(str(shots / "failed.png"))  # what was seen when something was missing
        raise
    finally:
        driver.quit()
        server.terminate()
        server.wait()
    seen["book"] = office.json("管理员", "audit", "verify")["rows"]
    out = folder / "units.csv"
    office.json("宜昌员", "export", "units", "-o", out)
    seen["units"] = out.read_text(encoding="utf-8-sig")
    office.json("宜昌员", "export", "seizures", "-o", out)
    seen["seizures"] = out.read_text(encoding="utf-8-sig")
    return seen


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1])), ensure_ascii=False))
