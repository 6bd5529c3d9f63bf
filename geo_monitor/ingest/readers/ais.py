"""AIS position reports out of their six-bit payload (ITU-R M.1371-5, annex 8): types 1, 2, 3, 18, 19 and 27."""

from __future__ import annotations

from dataclasses import dataclass

KNOT = 1852 / 3600  # m/s
POSITION_TYPES = frozenset((1, 2, 3, 9, 18, 19, 27))
UNKNOWN_KNOTS = {9: 1023.0, 27: 63.0}  # by type, else 102.3: speeds that mean "not known"


@dataclass(frozen=True)
class Report:
    """mmsi; lon, lat in degrees (181 and 91 where the vessel had none); speed in m/s and course in degrees, or None."""

    mmsi: str
    lon: float
    lat: float
    speed: float | None
    course: float | None


class Bits:
    """The bits of a payload. Reading beyond the end raises `ValueError`."""

    def __init__(self, payload: str) -> None:
        self.length = 6 * len(payload)
        value = 0
        for character in payload:
            code = ord(character) - 48
            if code > 40:
                code -= 8
            if not 0 <= code < 64:
                raise ValueError("not a six-bit character")
            value = value << 6 | code
        self.value = value

    def unsigned(self, start: int, width: int) -> int:
        if start + width > self.length:
            raise ValueError("payload too short")
        return self.value >> (self.length - start - width) & ((1 << width) - 1)

    def signed(self, start: int, width: int) -> int:
        value = self.unsigned(start, width)
        return value - (1 << width) if value >> (width - 1) else value


def message_type(payload: str) -> int:
    """The type of a message by its first character.

    >>> message_type("15RTgt0PAso;90TKcjM8h6g208CQ")
    1
    """
    return Bits(payload[:1]).unsigned(0, 6)


def report(payload: str) -> Report | None:
    """The position a payload reports; None for other types. Raises `ValueError` where it is cut short.

    The example is the one of the gpsd documentation: 37.80 N, 122.35 W at 0.1 knots.

    >>> found = report("15M67FC000G?ufbE`FepT@3n00Sa")
    >>> found.mmsi, round(found.lon, 4), round(found.lat, 4)
    ('366053209', -122.3416, 37.8021)
    """
    bits = Bits(payload)
    kind = bits.unsigned(0, 6)
    mmsi = f"{bits.unsigned(8, 30):09d}"
    if kind in (1, 2, 3):
        speed, lon, lat, course = 50, 61, 89, 116
    elif kind in (18, 19):
        speed, lon, lat, course = 46, 57, 85, 112
    elif kind == 9:
        knots = bits.unsigned(50, 10)  # aircraft: whole knots
        course_9 = bits.unsigned(116, 12)
        return Report(mmsi, bits.signed(61, 28) / 600_000, bits.signed(89, 27) / 600_000,
                      None if knots == 1023 else knots * KNOT, None if course_9 >= 3600 else course_9 / 10)  # fmt: skip
    elif kind == 27:
        knots, degrees = bits.unsigned(79, 6), bits.unsigned(85, 9)
        return Report(mmsi, bits.signed(44, 18) / 600, bits.signed(62, 17) / 600,
                      None if knots == 63 else knots * KNOT, None if degrees >= 360 else float(degrees))  # fmt: skip
    else:
        return None
    tenths, angle = bits.unsigned(speed, 10), bits.unsigned(course, 12)
    return Report(
        mmsi,
        bits.signed(lon, 28) / 600_000,
        bits.signed(lat, 27) / 600_000,
        None if tenths == 1023 else tenths / 10 * KNOT,
        None if angle >= 3600 else angle / 10,
    )
