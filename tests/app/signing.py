"""Signs in as one county and then as the other, in Chromium, and tells as JSON what the pages said. Run by `test_door.py`.

python -m tests.app.signing FOLDER
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

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


def click(visit: Visit, words: str) -> None:
    path = f"//button[.//p[normalize-space(.)='{words}']]"
    wait(lambda: [one for one in visit.driver.find_elements("xpath", path) if one.is_displayed()], 30, words)
    next(one for one in visit.driver.find_elements("xpath", path) if one.is_displayed()).click()


def tab(visit: Visit, number: int) -> None:
    wait(lambda: len(visit.driver.find_elements(By.CSS_SELECTOR, "[role=tab]")) > number, 30, "the tabs")
    visit.driver.find_elements(By.CSS_SELECTOR, "[role=tab]")[number].click()


def data_page(visit: Visit, url: str, folder: Path) -> dict[str, str]:
    """Looks at a file before it counts, takes it in, and chooses between two readings of another."""
    told = {}
    good, unsure = folder / "good.csv", folder / "unsure.csv"
    good.write_text("编号,名称,平台\nYC艇77,宜昌渔政77,船\n@@=x,坏名,船\n", encoding="gbk")
    unsure.write_text("案件编号,查获时间,x,y\nYC案9,2026-05-02 01:00,456000,3320000\n", encoding="utf-8")
    visit.driver.get(url + "data")
    visit.until("数据报送")
    for file, kind in ((good, "巡护单元"), (unsure, "查获案件")):
        wait(lambda: visit.driver.find_elements(By.CSS_SELECTOR, "[data-testid=stSelectbox] input"), 30, "the kinds")
        visit.driver.find_elements(By.CSS_SELECTOR, "[data-testid=stSelectbox] input")[0].click()
        options = "[role=option]"
        wait(lambda: visit.driver.find_elements(By.CSS_SELECTOR, options), 30, "the list of kinds")  # noqa: B023
        named = [one for one in visit.driver.find_elements(By.CSS_SELECTOR, options) if one.text == kind]
        named[0].click()
        visit.driver.find_elements(By.CSS_SELECTOR, "input[type=file]")[0].send_keys(str(file))
        visit.until(file.name)
        if file is good:
            click(visit, "先看看")
            visit.until("只是预览")
            visit.until("新增 2")
            told["preview"] = visit.text()
            visit.shot("preview")
        click(visit, "入库")
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
        enter(visit, "荆州员", counties.WORD)
        visit.until(r"\d+ 段中", 120)
        visit.until("荆州员")
        seen["here"] = visit.text()
        visit.shot("signed-in")
        driver.get(url + "?lang=zh")
        visit.until(r"\d+ 段中", 120)  # the cookie carries the session over a reload
        visit.until("荆州员")
        driver.find_element("xpath", "//button[.//p[text()='退出']]").click()
        visit.until("密码")
        driver.get(url)
        visit.until("密码")  # the old cookie opens nothing any more
        enter(visit, "宜昌员", counties.WORD)
        visit.until(r"\d+ 段中", 120)
        seen["there"] = visit.text()
        seen |= data_page(visit, url, folder)
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
