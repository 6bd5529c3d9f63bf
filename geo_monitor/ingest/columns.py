"""Which column of theirs is which of our fields, and the unit its header tells.

A header is tried whole, then outside and inside its brackets (half or full width; a unit there is read), then by the
longest known word it contains.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from geo_monitor.errors import Refused
from geo_monitor.ingest import datum as datums
from geo_monitor.ingest import fields, numbers
from geo_monitor.ingest.fields import Field

_BRACKETS = re.compile(r"[(\[{<【《「〔](.*?)[)\]}>】》」〕]")
_NOISE = re.compile(r"[\s_\-#*:：.\"'“”‘’、]+")
_ENDS = {"lon": ("经度", "东经"), "lat": ("纬度", "北纬")}
# traditional characters of headers (files of Hong Kong and Taiwan software), and their simplified forms
_SIMPLE = str.maketrans(
    "編號經緯時間漁獲現處發過報記錄點標識單門區級別稱類機關數據來測試網電擊員嫌違規額價況備註領導辦結長寬圍積終檔驗載運輸設備態動靜線總訊幾碼終艦輪駕險證詳細",
    "编号经纬时间渔获现处发过报记录点标识单门区级别称类机关数据来测试网电击员嫌违规额价况备注领导办结长宽围积终档验载运输设备态动静线总讯几码终舰轮驾险证详细",
)
_COUNTED = re.compile(
    r"^(?:point|points|p|pt|wpt|waypoint|placemark|no\.?|#|点|点位|航点|轨迹点|标记|地标|未命名地标)?[\s_-]*(\d{1,9})$",
    re.IGNORECASE,
)
GUARDED = ("unit_id", "platform", "source", "patrol_id", "position")  # a wrong guess here changes who did what
PLACES = ("lon", "lat", "position")
OUR_COLUMNS = ("row", "reason_zh", "reason_en")  # of a quarantine file that comes back corrected


@dataclass(frozen=True)
class Match:
    """A column of theirs that is our `field`; `unit`: what its brackets say, if they say anything."""

    field: Field
    header: str
    unit: str = ""
    factor: float = 1.0
    step: int = 0
    rank: int = 0


@dataclass(frozen=True)
class Columns:
    """our field -> match; headers of theirs that are not used; headers about people, and those of them with names."""

    matches: Mapping[str, Match]
    ignored: tuple[str, ...]
    personal: tuple[str, ...]
    names: tuple[str, ...] = ()

    def __contains__(self, name: str) -> bool:
        return name in self.matches

    def header(self, name: str) -> str | None:
        return self.matches[name].header if name in self.matches else None

    @property
    def datum(self) -> str | None:
        """The datum that a header of the coordinates names, or None."""
        headers = (self.header(name) for name in PLACES)
        return next(filter(None, (datums.named(header) for header in headers if header)), None)

    def zone(self, name: str) -> str | None:
        """The zone a time's header tells: "utc", "local", or None."""
        return _zone(self.matches[name].header) if name in self.matches else None


def normal(header: str) -> str:
    """A header as it is compared: half width, lower case, simplified, without blanks, underscores and quotes.

    >>> normal("# Vessel_ID "), normal("渔获（公斤）"), normal("經度")
    ('vesselid', '渔获(公斤)', '经度')
    """
    return _NOISE.sub("", unicodedata.normalize("NFKC", header).lower()).translate(_SIMPLE)


def counted(names: list[str | None]) -> bool:
    """Whether names only count what they stand at, as programs name the points they draw.

    >>> counted(["1", "2", "3"]), counted(["点01", "点02", "点03"]), counted(["1", "2"]), counted(["渔政1", "渔政2", "渔政3"])
    (True, True, False, False)
    """
    found = [_COUNTED.match(name or "") for name in names]
    figures = [int(one[1]) for one in found if one]
    begun = figures[0] if figures else -1
    return (
        len(names) > 2
        and len(figures) == len(names)
        and begun in (0, 1)
        and figures == list(range(begun, begun + len(names)))
    )


def match(kind: str, headers: Iterable[str], given: Mapping[str, str] | None = None) -> Columns:
    """The fields of `kind` found among `headers`; `given` (ours -> theirs) comes first.

    Raises `Refused("column_unknown")` for a name of ours that the kind does not have, `Refused("column_not_there")`.

    >>> found = match("seizures", ["案号", "查获时间（北京时间）", "东经", "北纬", "渔获重量(斤)", "渔船名"])
    >>> [(name, m.header, m.factor) for name, m in found.matches.items() if m.factor != 1]
    [('catch_kg', '渔获重量(斤)', 0.5)]
    >>> sorted(found.matches)
    ['catch_kg', 'lat', 'lon', 'report_id', 'time']
    """
    headers = [header for header in headers if normal(header) not in {normal(name) for name in OUR_COLUMNS}]
    known = fields.FIELDS[kind]
    taken = _given(kind, known, headers, given or {})
    best: dict[str, Match] = {}
    used = {found.header for found in taken.values()}
    free = [h for h in headers if h not in used]
    names = tuple(h for h in free if kind == "seizures" and _of_names(known, h))
    personal = tuple(h for h in free if h in names or any(word in normal(h) for word in fields.PERSONAL))
    for header in headers:
        if header in used or header in personal:
            continue
        found = _match(known, header)
        if found is None or found.field.name in taken:
            continue
        held = best.get(found.field.name)
        if held is None or _goodness(found) < _goodness(held):
            best[found.field.name] = found
    matches = {**taken, **best}
    used = {found.header for found in matches.values()}
    for header in headers:  # names of a dbf hold 10 bytes: 禁渔区名称 in UTF-8 is cut to 禁渔区
        if header in used or header in personal or header.isascii() or not 8 <= len(header.encode()) <= 10:
            continue
        ends = [field for field in known if field.name not in matches and _begins(field, normal(header))]
        if ends:
            field = min(ends, key=lambda field: (field.name not in ("name", "time"), known.index(field)))
            matches[field.name] = Match(field, header, step=4)
            used.add(header)
    ignored = tuple(header for header in headers if header not in used and header not in personal and header)
    return Columns(matches, ignored, personal, names)


def _goodness(found: Match) -> tuple[int, int, int]:
    """What makes one of two columns the better one; less is better. Of coordinates given twice those in WGS84 are: what is
    shifted was made of them."""
    if found.field.name not in PLACES:
        return 0, found.step, found.rank
    named = datums.named(found.header)
    return {"wgs84": 0, None: 1}.get(named, 2), found.step, found.rank


def _of_names(known: tuple[Field, ...], header: str) -> bool:
    """Whether a column holds names of people: 当事人姓名 does, 当事人数 and 执法人员姓名 do not."""
    plain = normal(header)
    if any(plain == normal(word) for field in known for word in field.synonyms):
        return False
    return any(word in plain for word in fields.NAMES) and not any(normal(word) in plain for word in fields.NOT_NAMES)


def _begins(field: Field, cut: str) -> bool:
    """Whether a word for the field begins with what is left of a header."""
    return any(normal(word).startswith(cut) for word in field.synonyms)


def _given(kind: str, known: tuple[Field, ...], headers: list[str], given: Mapping[str, str]) -> dict[str, Match]:
    taken: dict[str, Match] = {}
    for ours, theirs in given.items():
        field = next((field for field in known if field.name == ours), None)
        field = field or next((f for f in known if normal(ours) in {normal(word) for word in f.synonyms}), None)
        if field is None:
            raise Refused("column_unknown", column=ours, kind=kind, columns=[field.name for field in known])
        header = theirs if theirs in headers else next((h for h in headers if normal(h) == normal(theirs)), None)
        if header is None:
            raise Refused("column_not_there", column=theirs, headers=headers[:40])
        unit, factor = _unit(field, header)
        taken[field.name] = Match(field, header, unit, factor)
    return taken


def _match(known: tuple[Field, ...], header: str) -> Match | None:
    plain = normal(header)
    if not plain:
        return None
    exact: dict[str, tuple[Field, int]] = {}
    for field in known:
        for rank, word in enumerate(field.synonyms):
            exact.setdefault(normal(word), (field, rank))
    if plain in exact:
        field, rank = exact[plain]
        return Match(field, header, rank=rank)
    end = next((field for field in known if field.name in ("lon", "lat") and plain.endswith(_ENDS[field.name])), None)
    if end is not None:  # 查获地点经度 is no place
        return Match(end, header, step=3)
    outside = normal(_BRACKETS.sub("", plain))
    inside = [normal(part) for part in _BRACKETS.findall(plain)]
    for step, part in ((1, outside), *((2, part) for part in inside)):
        if part in exact:
            field, rank = exact[part]
            unit, factor = _unit(field, header)
            return Match(field, header, unit, factor, step, rank)
    if any(normal(word) in plain for word in fields.NOT_THESE):
        return None
    found: tuple[int, int, Field, str] | None = None
    for word, (field, rank) in exact.items():
        long_enough = len(word) >= (4 if word.isascii() else 2)
        if field.name in GUARDED and word in fields.GENERAL:
            continue
        if long_enough and word in plain and (found is None or len(word) > found[0]):
            found = (len(word), rank, field, word)
    if found is None:
        return None
    unit, factor = _unit(found[2], header, found[3])
    return Match(found[2], header, unit, factor, 3, found[1])


def _unit(field: Field, header: str, word: str = "") -> tuple[str, float]:
    if not field.dimension:
        return "", 1.0
    plain = unicodedata.normalize("NFKC", header).lower()
    told = [part.strip() for part in _BRACKETS.findall(plain)]
    told += [plain.split("/", 1)[1].strip()] if "/" in plain and not told else []
    rest = normal(header).replace(word, "") if word else ""
    for candidate in (*told, rest, plain.rsplit("_", 1)[-1]):
        factor = numbers.unit(candidate, field.dimension)
        if factor is not None and candidate:
            return candidate, factor
    return "", 1.0


def _zone(header: str) -> str | None:
    plain = normal(header)
    if "utc+8" in plain or "北京" in plain or "gmt+8" in plain or "东八" in plain:
        return "local"
    return "utc" if "utc" in plain or "gmt" in plain or "世界时" in plain else None
