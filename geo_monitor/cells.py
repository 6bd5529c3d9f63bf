"""How values look in cells that people open: CSV and Excel.

A cell that a spreadsheet would run as a formula gets an apostrophe in front (CWE-1236). Numbers stay as they are,
with or without a sign.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?%?\Z")
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # full width runs in Excel too


def safe(value: Any) -> Any:
    """`value`, with an apostrophe before text that a spreadsheet would run.

    >>> safe("=HYPERLINK(1)"), safe("-12.5"), safe("-12.5+A1"), safe("长江"), safe(None)
    ("'=HYPERLINK(1)", '-12.5', "'-12.5+A1", '长江', None)
    """
    if isinstance(value, str) and value.startswith(_RISKY) and not _NUMBER.match(value):
        return "'" + value
    return value


def iso(times: pd.Series) -> pd.Series:
    """Times as ISO 8601 text in Shanghai time, +08:00; None where empty. Milliseconds only where there are any.

    >>> import pandas as pd
    >>> times = pd.to_datetime(["2026-05-31T16:00:00Z", None, "2026-05-31T16:00:00.250Z"], format="ISO8601")
    >>> iso(pd.Series(times)).tolist()
    ['2026-06-01T00:00:00+08:00', None, '2026-06-01T00:00:00.250+08:00']
    """
    import numpy as np
    import pandas as pd

    there = times.notna().to_numpy()
    local = (times.dt.tz_convert("UTC") if times.dt.tz is not None else times).dt.tz_localize(None)
    stamps = local.to_numpy(dtype="datetime64[ms]") + np.timedelta64(8, "h")  # no summer time in Shanghai since 1991
    text = np.full(len(times), None, dtype=object)
    whole = stamps.astype("datetime64[s]")
    odd = there & (whole != stamps)
    plain = there & ~odd
    text[plain] = np.datetime_as_string(whole[plain]).astype(object) + "+08:00"
    text[odd] = np.datetime_as_string(stamps[odd]).astype(object) + "+08:00"
    return pd.Series(text, index=times.index, dtype=object)


def joined(value: Any) -> str | None:
    """A list as text, `;` between; None stays None.

    >>> joined(["A", "B"]), joined([]), joined(None)
    ('A;B', '', None)
    """
    return None if value is None else ";".join(str(part) for part in value)
