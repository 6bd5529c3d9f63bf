"""The state of the machine of zone visits: what each column of a row of integers is (`kernels` moves it).

Of the visit that is open: whether one is, entry and exit (ms UTC) and whether they were observed, the patrol of its first
fix, the window of the rule, and whether the unit has been away since. Of the unit and this zone from fix to fix: whether
the last one was inside, the window it was in, fixes of the spell inside that is going on, its begin, whether that was
observed, the patrol of its first fix, and that of the last fix of all.
"""

from __future__ import annotations

OPEN, ENTRY, ENTRY_SEEN, EXIT, EXIT_SEEN, PATROL, WINDOW, AWAY = range(8)
WAS_IN, WAS_WINDOW, FIXES, SINCE, SINCE_SEEN, FIRST, BEFORE = range(8, 15)
WIDTH = 15
CODES = [PATROL, WINDOW, WAS_WINDOW, FIRST, BEFORE]  # -1: none
