"""The data page on a real workspace: every version that was sent stays readable."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from geo_monitor.workspace import Workspace


def page(root: str) -> None:
    from geo_monitor.app import uploads
    from geo_monitor.app.words import Speaker

    uploads.page(root, Speaker("zh"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    held = Workspace.create(tmp_path / "w")
    for n, kg in enumerate((5, 7)):
        file = tmp_path / f"{n}.csv"
        file.write_text(
            f"案件编号,查获时间,经度,纬度,渔获重量,渔具\n甲1,2026-05-01 23:00,112.0,30.0,{kg},地笼\n"
            f"@@=x,2026-05-01 23:00,112.1,30.0,{kg},<b>网</b>\n",
            encoding="utf-8",
        )
        receipt = held.import_file("seizures", file)
        assert receipt.status.startswith("accepted")
    held.withdraw(receipt.receipt_id, "重复报送")
    return tmp_path / "w"


def test_every_version_is_listed_newest_first_with_the_reason_of_a_withdrawal(root: Path) -> None:
    at = AppTest.from_function(page, args=(str(root),), default_timeout=60)
    at.run()
    assert not at.exception
    at.selectbox(key="version-of").set_value("seizures").run()
    assert not at.exception
    table = next(one.value for one in at.dataframe if "withdrawn_reason" in one.value)
    assert table["version"].tolist() == [2, 2, 1, 1]
    assert table["withdrawn_reason"].fillna("").tolist() == ["重复报送", "重复报送", "", ""]
    assert not [text for text in table["report_id"] if text.startswith("@@")]
    at.text_input(key="version-find").set_value("甲").run()
    table = next(one.value for one in at.dataframe if "withdrawn_reason" in one.value)
    assert table["catch_kg"].tolist() == [7.0, 5.0]
