"""Words of agencies to the values our tables allow; a word we don't know stays empty and is told."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
from numpy.typing import NDArray

# field -> value -> words; a cell is tried whole, then by the longest of these words it contains
WORDS: dict[str, dict[str, str]] = {
    "platform": {
        "drone": "无人机 drone uav 航拍 无人飞机",
        "camera": "摄像头 视频 监控 camera 探头 高清视频 雷达 铁塔",
        "foot": "徒步 步行 步巡 foot walk 护渔员 网格员 陆巡 人员",
        "vehicle": "车 汽车 车辆 vehicle car 摩托 巡逻车 执法车",
        "boat": "船 艇 快艇 巡逻艇 boat vessel ship 执法船 渔政船 冲锋舟 公务船 水巡 船舶 船艇",
    },
    "role": {"patrol": "patrol 巡护 巡逻 执法 巡查 公务", "traffic": "traffic 过往 商船 社会船舶 其他船舶 过境"},
    "source": {"gps": "gps 卫星定位 gnss", "ais": "ais 船舶自动识别", "beidou": "beidou 北斗 bds"},
    "bank": {
        "left": "左岸 左 left l 左侧", "right": "右岸 右 right r 右侧", "mid": "江心 中 mid middle 江中 河心 中间 主航道 江面 centre center",
    },
    "setting": {
        "water": "水上 water 水面 江面 水域 江中 船上 水中 捕捞环节 河道", "bank": "岸边 bank 岸上 岸 沿岸 江边 滩涂 江滩 码头",
        "market": "市场 market 农贸市场 菜市场 水产市场 集市", "road": "道路 road 运输 路上 公路 运输环节 卡口 途中",
        "restaurant": "餐馆 restaurant 餐厅 饭店 酒店 餐饮 农家乐 渔家乐", "shop": "门店 shop 商店 渔具店 店铺 网店 商铺",
    },
    "origin": {
        "patrol": "巡护 patrol 巡查 巡江 巡逻 日常巡护 巡护发现 蹲守", "tip": "举报 tip 群众举报 线索 电话举报 投诉 12345 110 接报 报警",
        "camera": "视频 camera 监控 视频监控 摄像头 无人机发现 智慧渔政", "check": "检查 check 执法检查 专项检查 市场检查 抽查 排查",
    },
    "disposition": {
        "none": "none 无 未处理 未处置", "advice": "劝导 advice 劝离 劝阻 批评", "education": "教育 education 批评教育 教育劝导 宣传教育",
        "warning": "警告 warning 口头警告 书面警告 责令改正", "administrative": "行政 administrative 行政处罚 罚款 行政案件 行政立案 没收",
        "criminal": "刑事 criminal 刑事立案 刑事案件 移送公安 移交公安 移送司法 刑拘 逮捕",
    },
    "level": {"county": "county 县 区 县级 区县 县区 县级市", "city": "city 市 地级 地市 市级 地级市", "province": "province 省 省级 直辖市 自治区"},
}  # fmt: skip


def translate(name: str, cells: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Cells (objects: text or None) as allowed values of field `name`, and which hold a word we don't know.

    >>> import numpy as np
    >>> translate("platform", np.array(["快艇", "大疆无人机", "气球", None], dtype=object))[0].tolist()
    ['boat', 'drone', None, None]
    """
    known = {word: value for value, words in WORDS[name].items() for word in words.split()}
    answers: dict[str, str | None] = {}
    for cell in {cell for cell in cells.tolist() if cell is not None}:
        answers[cell] = _one(known, unicodedata.normalize("NFKC", cell).strip().lower())
    values = np.array([None if cell is None else answers[cell] for cell in cells.tolist()], dtype=object)
    unknown = np.array([cell is not None and answers[cell] is None for cell in cells.tolist()], dtype=bool)
    return values, unknown


def _one(known: dict[str, str], cell: str) -> str | None:
    if cell in known:
        return known[cell]
    found = [word for word in known if word in cell and (len(word) > 1 or not word.isascii())]
    # the longest word tells; of equal ones the last: 水上无人机 is a drone
    return known[max(found, key=lambda word: (len(word), cell.rfind(word)))] if found else None
