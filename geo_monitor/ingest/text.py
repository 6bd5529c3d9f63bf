"""Text: which encoding bytes are in, and how sure that is.

What the file declares, whether the bytes are valid at all, and whether the characters they would give are the everyday
ones are weighed together. Valid UTF-8 with several multi-byte characters is as good as proof: GBK text passes for it
by chance about once in 2^n. Between GB18030 and Big5 the share of everyday characters decides: both standards keep
theirs in a block of its own (GB2312 level 1, 3,755 characters; Big5 level 1, 5,401).
"""

from __future__ import annotations

import codecs
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from geo_monitor.errors import Refused, Usage

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
Pieces = Callable[[], Iterable[bytes]]
PIECE = 4 << 20  # bytes of a file in memory at once
SAMPLE = 4 << 20  # bytes looked at to judge a large file
CONTROLS = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
_CONTROL = re.compile(CONTROLS)
CONTROL_BYTES = bytes(byte for byte in range(128) if _CONTROL.match(chr(byte)))
_OURS = {"gbk": "gb18030", "gb2312": "gb18030", "cp936": "gb18030", "936": "gb18030", "cp950": "big5", "950": "big5",
         "big5hkscs": "big5", "65001": "utf-8", "utf-8-sig": "utf-8", "88591": "latin-1", "iso8859-1": "latin-1",
         "oem": "", "ansi": "", "ascii": "utf-8"}  # fmt: skip

# simplified and traditional side by side
FAMILIAR = frozenset(
    "长長江河湖海水溪口洲岛島岸左右上下中大小东東西南北段区區域县縣市省镇鎮乡鄉村州城山桥橋港湾灣坝壩库庫码碼头頭流干支"
    "禁渔漁期保护護核心缓緩冲衝实實验驗名称稱编編号號类類型级級别別时時间間日年月点點地位置经經纬緯度里程公米千"
    "船艇巡查获獲执執法案件人员員数數量重网網电電鱼魚具钓釣部门門单單所局湘鄂赣贛皖苏蘇川渝云雲贵貴沪滬浙武汉漢"
    "宜昌荆荊岳阳陽九安庆慶京重黄黃石监監利洪阿的是在有不了一二三四五六七八九十",
)


@dataclass
class Encoding:
    """The encoding used, how it was known (declared, detected, given) and the probability that it is right."""

    used: str
    how: str
    confidence: float
    warnings: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, object]:
        return {"used": self.used, "how": self.how, "confidence": round(self.confidence, 3)}


DECLARED = Encoding("utf-8", "declared", 1.0)


def named(name: str) -> str:
    """The encoding meant by a name out of a `.cpg` or an option; "" where it means nothing we know.

    >>> named("GBK"), named("UTF-8"), named("65001"), named("martian")
    ('gb18030', 'utf-8', 'utf-8', '')
    """
    plain = name.strip().lower().replace("_", "-").removeprefix("cp-")
    if plain in _OURS:
        return _OURS[plain]
    try:
        b"a".decode(plain)  # Python's other codecs (zlib, hex ...) are none for text
        found = codecs.lookup(plain).name
    except (LookupError, ValueError):
        return ""
    if found in ("idna", "punycode", "unicode-escape", "raw-unicode-escape"):
        return ""  # ways to write, in which no agency keeps a table
    return _OURS.get(found, "latin-1" if found == "iso8859-1" else found)


def given(name: str) -> Encoding:
    """The encoding of `--encoding`. Raises `Usage("encoding_unknown")`."""
    used = named(name)
    if not used:
        raise Usage("encoding_unknown", encoding=name)
    return Encoding(used, "given", 1.0)


def detect(parts: Iterable[bytes], declared: str | None, sure: float, where: str) -> Encoding:
    """The encoding of `parts`, pieces that each hold whole characters (lines, cells) save that a last one may be cut.

    declared: what the file says (a `.cpg`, an XML head), or None. Raises `Refused("choice_needed")` with both readings
    where the best guess is less than `sure`.
    """
    pieces = [piece for piece in parts if not piece.isascii()]
    says = named(declared or "")
    if not pieces:
        return Encoding(says or "utf-8", "declared" if says else "detected", 1.0)
    if says == "utf-8" or not says:
        share = sum(_is_utf8(piece) for piece in pieces) / len(pieces)
        characters = sum(len(piece) for piece in pieces) // 3
        if share == 1.0 and not says and _like_unicom(pieces, most=3):
            raise _choice(pieces, ("gb18030", "utf-8"), where)
        if share == 1.0:
            return Encoding("utf-8", "declared" if says else "detected", 1 - 0.5 ** (characters + 2))
        if share > 0.5 and not _like_unicom(pieces):
            return Encoding("utf-8", "detected", 0.95, ["encoding_mixed"])
    scores = {name: score(pieces, name) for name in ("gb18030", "big5", "latin-1")}
    if _all_utf8(pieces):
        scores["utf-8"] = 0.99
    if says and says not in scores:
        scores[says] = 0.9 if _decodes(pieces, says) else 0.0
    best, second = sorted(scores, key=lambda name: -scores[name])[:2]
    margin = scores[best] / (scores[best] + scores[second]) if scores[best] else 0.0
    if says and scores.get(says, 0.0) >= 0.6 and scores[says] >= scores[best] - 0.15:
        return Encoding(says, "declared", max(scores[says], margin))
    # two readings that are equally everyday text are a choice, and so is text that is everyday in none
    sureness = min(1.0, scores[best]) * min(1.0, 2 * margin - 0.25)
    if sureness < sure:
        # few characters: almost any is everyday in both standards, but only one reading speaks of rivers and counties
        told = {name: familiar(pieces, name) for name in ("gb18030", "big5") if scores[name] >= 0.6}
        telling = max(told, key=lambda name: told[name], default="")
        if telling and told[telling] >= 0.25 and all(5 * told[n] <= told[telling] for n in told if n != telling):
            best, sureness = telling, max(sureness, 0.95)
    if best in ("gb18030", "big5") and sum(byte >= 0x80 for piece in pieces for byte in piece) <= 2:
        sureness = min(sureness, 0.7)  # a single character is everyday in both more often than not
    if sureness < sure:
        raise _choice(pieces, (best, second), where)
    warnings = ["encoding_declared_wrong"] if says and says != best else []
    return Encoding(best, "detected", sureness, warnings)


def _choice(pieces: list[bytes], names: tuple[str, str], where: str) -> Refused:
    readings = " / ".join(f"{name}: {_preview(pieces, name)}" for name in names)
    return Refused("choice_needed", what="encoding", where=where, readings=readings, option="--encoding " + names[0])


def _like_unicom(pieces: list[bytes], most: int = sys.maxunicode) -> bool:
    """Whether what is valid UTF-8 is more likely GBK, as 联通 is: no Chinese and no Latin letters as UTF-8, sound as GBK.

    most: different characters that may happen so; one word stands in every line of a file and proves no more for it.
    The signs of degrees and squares are taken for what they are: as GBK they are words hardly ever written (掳, 虏).

    >>> _like_unicom(["联通".encode("gbk")]), _like_unicom(["Café".encode()]), _like_unicom(["江".encode()])
    (True, False, False)
    >>> _like_unicom(["船号".encode("gbk"), *["巡".encode("gbk")] * 9])
    True
    """
    found: set[str] = set()
    for piece in filter(_is_utf8, pieces):
        found.update(c for c in piece.decode("utf-8", errors="ignore") if not c.isascii())
        if any(c >= "\u0800" or "\u00c0" <= c <= "\u024f" or c in "°²" for c in found) or len(found) > most:
            return False
    return _decodes(pieces, "gb18030")


def score(pieces: Iterable[bytes], name: str) -> float:
    """How much like everyday text the pieces are in an encoding: 0 (not valid) to 1.

    >>> round(score(["长江禁渔区".encode("gbk")], "gb18030"), 2), score([b"\\xff\\xff"], "gb18030")
    (1.0, 0.0)
    """
    everyday = other = broken = 0
    for piece in pieces:
        decoded = piece.decode(name, errors="replace")
        broken += decoded[:-1].count("\ufffd")
        for character in decoded:
            if character.isascii() or character == "\ufffd":
                continue
            if name == "latin-1":
                # Latin letters stand alone between ASCII ones; runs of them are Chinese bytes misread
                everyday += 1 if character.isalpha() else 0
                other += 0 if character.isalpha() else 1
            elif _everyday(character, name):
                everyday += 1
            else:
                other += 1
    if everyday + other == 0 or broken > 0.01 * (everyday + other):
        return 0.0
    plain = everyday / (everyday + other)
    if name == "latin-1":
        runs = sum(len(run) for piece in pieces for run in re.findall(rb"[\x80-\xff]{2,}", piece))
        total = sum(byte >= 0x80 for piece in pieces for byte in piece)
        return plain * max(0.0, 1 - 1.5 * runs / total)
    return plain


def familiar(pieces: Iterable[bytes], name: str) -> float:
    """The share of Chinese characters that are among those of our files: names of places, waters, columns.

    >>> familiar(["长江禁渔区".encode("gbk")], "gb18030"), familiar(["长江禁渔区".encode("gbk")], "big5")
    (1.0, 0.0)
    """
    found = [c for piece in pieces for c in piece.decode(name, errors="replace") if "\u4e00" <= c <= "\u9fff"]
    return sum(c in FAMILIAR for c in found) / len(found) if found else 0.0


def _everyday(character: str, name: str) -> bool:
    try:
        code = character.encode("gb2312" if name == "gb18030" else "big5")
    except UnicodeEncodeError:
        return False
    first = code[0]
    if name == "big5":
        return 0xA4 <= first <= 0xC6 or (first == 0xA1 and code[1] < 0x80)
    return 0xB0 <= first <= 0xD7 or first in (0xA1, 0xA3)


def _is_utf8(piece: bytes) -> bool:
    try:
        piece.decode("utf-8")
    except UnicodeDecodeError as error:
        # a fixed-width cell may end inside a character
        return error.reason == "unexpected end of data" or (error.start >= len(piece) - 3 and error.end == len(piece))
    return True


def _all_utf8(pieces: list[bytes]) -> bool:
    return all(_is_utf8(piece) for piece in pieces)


def _decodes(pieces: list[bytes], name: str) -> bool:
    try:
        for piece in pieces:
            piece.decode(name)
    except (UnicodeDecodeError, LookupError):
        return False
    return True


def _preview(pieces: list[bytes], name: str) -> str:
    """What would be read differently: the first texts in other than plain letters."""
    found = re.findall("[^\x00-\x7f]+", b" ".join(pieces[:50]).decode(name, errors="ignore"))
    return " ".join(dict.fromkeys(found))[:20]


def decode(piece: bytes, name: str) -> str:
    """One cell or line as text; where it is not valid in `name`, UTF-8 or GB18030 are tried, and a cut end dropped.

    >>> decode("长江".encode("gb18030"), "utf-8"), decode("长江".encode()[:-1], "utf-8")
    ('长江', '长')
    """
    for attempt in (name, "utf-8", "gb18030"):
        try:
            return piece.decode(attempt)
        except UnicodeDecodeError as error:
            if error.start >= len(piece) - 3 and error.start > 0 and attempt == name:
                return piece[: error.start].decode(attempt)
    return piece.decode(name, errors="replace")


def clean(value: str) -> str:
    r"""`value` without control characters (tabs and line ends stay).

    >>> clean("嘉鱼\x00大桥")
    '嘉鱼大桥'
    """
    return _CONTROL.sub("", value)


class Decoded:
    """A text file piece by piece, as often as asked, never whole in memory; its encoding is told at once.

    Lines that are not in the file's main encoding are decoded by themselves (`encoding_mixed` is among the warnings).
    pieces: gives the file's bytes from the beginning, cut anywhere; declared: what the file says of its encoding. Raises
    `Refused("choice_needed")`, `Refused("encoding_broken")` where the given encoding does not fit.
    """

    def __init__(
        self, pieces: Pieces, options_encoding: str | None, sure: float, where: str, declared: str | None = None
    ) -> None:
        self._pieces, self._errors, self._mixed = pieces, "strict", False
        if options_encoding:
            self.encoding = given(options_encoding)
        else:
            head, longer = _head(pieces())
            self.encoding = _encoding(head, longer, pieces, sure, where, declared)
        used = self.encoding.used
        self._name = "utf-8-sig" if used == "utf-8" else used
        line = self._broken()
        if not line:
            return
        if options_encoding:
            raise Refused("encoding_broken", encoding=used, line=line)
        if used.startswith("utf-16") or used == "utf-32":
            self._name, self._errors = used, "replace"
            return
        self._mixed = True
        if "encoding_mixed" not in self.encoding.warnings:
            self.encoding.warnings.append("encoding_mixed")

    def __iter__(self) -> Iterator[str]:
        if not self._mixed:
            decoder = codecs.getincrementaldecoder(self._name)(self._errors)
            for piece in self._pieces():
                yield decoder.decode(piece)
            yield decoder.decode(b"", final=True)
            return
        first = True
        for block in _whole_lines(self._pieces()):
            text = "\n".join(decode(line, self.encoding.used) for line in block.split(b"\n"))
            yield text.lstrip("\ufeff") if first else text
            first = False

    def utf8(self) -> Iterator[bytes]:
        """The text as UTF-8."""
        if self._name != "utf-8-sig" or self._mixed:
            yield from (text.encode("utf-8") for text in self)
            return
        head: bytes | None = b""  # until it is long enough to tell a mark from text
        for piece in self._pieces():
            if head is None:
                yield piece
            elif len(head := head + piece) >= len(codecs.BOM_UTF8):
                yield head.removeprefix(codecs.BOM_UTF8)
                head = None
        if head:
            yield head

    def _broken(self) -> int:
        """The number of the line that is not in the encoding, 0 where all are."""
        if self._name == "utf-8-sig" and all(_valid_utf8(block) for block in _whole_lines(self._pieces())):
            return 0
        decoder, before = codecs.getincrementaldecoder(self._name)(), 0
        try:
            for piece in self._pieces():
                decoder.decode(piece)
                before += piece.count(b"\n")
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            return before + bytes(error.object[: error.start]).count(b"\n") + 1
        return 0


def file_text(data: bytes, options_encoding: str | None, sure: float, where: str) -> tuple[str, Encoding]:
    """A whole text file as text, and its encoding; raises as `Decoded`."""
    text = Decoded(lambda: (data,), options_encoding, sure, where)
    return "".join(text), text.encoding


def file_pieces(path: Path) -> Pieces:
    """The bytes of a file, in pieces."""

    def pieces() -> Iterator[bytes]:
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece

    return pieces


def _encoding(head: bytes, longer: bool, pieces: Pieces, sure: float, where: str, declared: str | None) -> Encoding:
    for bom, name in BOMS:
        if head.startswith(bom):
            return Encoding(name, "declared", 1.0)
    wide = _utf16(head)
    if wide:
        return Encoding(wide, "detected", 0.95)
    return detect(_lines(head, longer, pieces), declared, sure, where)


def _head(pieces: Iterable[bytes]) -> tuple[bytes, bool]:
    """The first SAMPLE bytes, and whether there are more."""
    head = b""
    for piece in pieces:
        head += piece
        if len(head) > SAMPLE:
            return head[:SAMPLE], True
    return head, False


def _lines(head: bytes, longer: bool, pieces: Pieces) -> list[bytes]:
    if not longer:
        return head.split(b"\n")
    if not head.isascii():
        return (head[: head.rfind(b"\n") + 1] or head).split(b"\n")
    found: list[bytes] = []  # the head tells nothing: what does stands further on
    for block in _whole_lines(pieces()):
        if not block.isascii():
            found += [line for line in block.split(b"\n") if not line.isascii()]
        if len(found) >= 20_000:
            break
    return found[:20_000] or head.split(b"\n")


def _valid_utf8(block: bytes) -> bool:
    """Whether bytes are UTF-8, told without making a text of them: several times as fast.

    >>> _valid_utf8("长江".encode()), _valid_utf8("长江".encode()[:-1]), _valid_utf8(b"\\xed\\xa0\\x80")
    (True, False, False)
    """
    import pyarrow as pa

    try:
        pa.array([block], pa.large_binary()).cast(pa.large_string())
    except pa.ArrowInvalid:
        return False
    return True


def _whole_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, cut at ends of lines only."""
    rest = b""
    for piece in pieces:
        end = piece.rfind(b"\n") + 1
        if not end:
            rest += piece
            continue
        yield rest + piece[:end]
        rest = piece[end:]
    if rest:
        yield rest


def _utf16(data: bytes) -> str:
    """UTF-16 without a mark: ASCII characters leave every second byte zero."""
    sample = data[:4096]
    if len(sample) < 8 or sample.count(0) < max(4, len(sample) // 50):
        return ""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > 4 * even:
        return "utf-16-le"
    return "utf-16-be" if even > 4 * odd else ""
