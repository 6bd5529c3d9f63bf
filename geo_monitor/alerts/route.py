"""Who is told of a warning, and who above them, by GB/T 2260 codes: county 421022, city 421000, province 420000.

Two kinds of county have no city above them and answer to the province: those of the four municipalities (Beijing,
Tianjin, Shanghai, Chongqing: 11, 12, 31, 50), and counties run by a province itself (digits 3 and 4 are 90, as 429004
Xiantao; GB/T 2260-2007).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from geo_monitor.alerts.rows import Row

MUNICIPALITIES = ("11", "12", "31", "50")
NATION = "100000"  # the code of an account that answers for the whole country


def level(adcode: str | None) -> str:
    """The level of a locality; without any, county.

    >>> level("421022"), level("421000"), level("420000"), level(None)
    ('county', 'city', 'province', 'county')
    """
    if adcode is None or adcode[4:6] not in ("00", ""):
        return "county"
    return "province" if adcode[2:4] in ("00", "") else "city"


def above(adcode: str | None, at: str) -> str | None:
    """The next level that must sign after `at`; None where there is none.

    >>> above("421022", "county"), above("421022", "city"), above("421022", "province")
    ('city', 'province', None)
    >>> above("429004", "county"), above("500228", "county"), above(None, "county")
    ('province', 'province', 'city')
    """
    if at == "province":
        return None
    if at == "county" and not (adcode and (adcode[2:4] == "90" or adcode[:2] in MUNICIPALITIES)):
        return "city"
    return "province"


def office(adcode: str | None, at: str) -> str | None:
    """The adcode of the office at a level that answers for a locality; None where no jurisdiction is loaded.

    >>> office("421022", "county"), office("421022", "city"), office("421022", "province")
    ('421022', '421000', '420000')
    """
    if adcode is None:
        return None
    return {"county": adcode, "city": f"{adcode[:4]}00", "province": f"{adcode[:2]}0000"}[at]


def answers(row: Row, areas: Sequence[str] | None) -> bool:
    """Whether an account that answers for these areas may sign at the row's level: the office itself or one above it.

    areas: None for everybody (a workspace without accounts). Where no jurisdiction is loaded anybody may.

    >>> answers({"adcode": "421022", "level": "city"}, ["421022"]), answers({"adcode": "421022", "level": "city"}, ["421000"])
    (False, True)
    """
    at = office(row.get("adcode"), row["level"])
    return areas is None or at is None or any(at.startswith(_stem(area)) for area in areas)


def localities(adcodes: Iterable[str | None]) -> tuple[str | None, ...]:
    """Whom a warning goes to, given who answers for the banks: each once; (None,) where nobody is known.

    >>> localities(["421022", "430602"]), localities(["421022", "421022"]), localities([None, None])
    (('421022', '430602'), ('421022',), (None,))
    """
    known = sorted({adcode for adcode in adcodes if adcode})
    return tuple(known) or (None,)


def _stem(adcode: str) -> str:
    if adcode == NATION:
        return ""
    return adcode[:2] if adcode[2:6] == "0000" else adcode[:4] if adcode[4:6] == "00" else adcode
