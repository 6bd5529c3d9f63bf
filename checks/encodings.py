"""Our test of encodings against charset-normalizer, on names of counties and rivers of 1 to 50 characters.

    python checks/encodings.py [--texts 200] [--seed 4]

Prints, for each encoding and length, how many texts each read rightly, wrongly, or not at all (ours asks then). Exit code
1 where ours read any text wrongly.
"""

from __future__ import annotations

import argparse
import random
import sys

from charset_normalizer import from_bytes

from geo_monitor.errors import Refused
from geo_monitor.ingest import text
from geo_monitor.settings import Settings

SIMPLIFIED = (  # noqa: SIM905
    "叙州区 江安县 合江县 巴南区 长寿区 涪陵区 石柱土家族自治县 忠县 云阳县 奉节县 秭归县 枝江市 松滋市 公安县 监利市 华容县 洪湖市 赤壁市 蔡甸区"
    " 鄂州市 浠水县 蕲春县 武穴市 湖口县 彭泽县 望江县 枞阳县 铜官区 繁昌区 当涂县 仪征市 扬中市 靖江市 如皋市 启东市 长江 嘉陵江 乌江 汉江 赣江"
    " 湘江 沅江 清江 青弋江 巢湖 鄱阳湖 洞庭湖 禁渔区 保护区 江段 核心区"
).split()
TRADITIONAL = "漢陽區 岳陽縣 銅陵縣 鎮江縣 貴池縣 雲陽縣 萬縣 監利縣 華容縣 鄱陽縣 豐都縣 長壽縣 長江 漢江 鄱陽湖 禁漁區 保護區".split()  # noqa: SIM905
LENGTHS = (1, 2, 5, 10, 20, 50)


def ours(data: bytes, true: str) -> str:
    try:
        used = text.detect([data], None, Settings().encoding_sure, "").used
    except Refused:
        return "none"
    return "right" if data.decode(used, errors="replace") == true else "wrong"


def theirs(data: bytes, true: str) -> str:
    best = from_bytes(data).best()
    if best is None:
        return "none"
    return "right" if data.decode(best.encoding, errors="replace") == true else "wrong"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--texts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=4)
    arguments = parser.parse_args()
    rng, failed = random.Random(arguments.seed), 0  # noqa: S311  a test needs no secret
    print(
        "| encoding | characters | ours: right / wrong / asks | charset-normalizer: right / wrong / none |\n|---|---|---|---|"
    )
    for encoding in ("utf-8", "gb18030", "big5"):
        for length in LENGTHS:
            pool = TRADITIONAL if encoding == "big5" else SIMPLIFIED
            texts = ["".join(rng.choices(pool, k=length))[:length] for _ in range(arguments.texts)]
            cells = []
            for reader in (ours, theirs):
                found = [reader(true.encode(encoding), true) for true in texts]
                cells.append(" / ".join(str(found.count(word)) for word in ("right", "wrong", "none")))
                failed += found.count("wrong") if reader is ours else 0
            print(f"| {encoding} | {length} | {cells[0]} | {cells[1]} |", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
