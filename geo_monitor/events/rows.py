"""What the columns of a fix are, as the machines of one unit see it; and those of their states. All are float64.

Of a fix: T ms UTC, LON, LAT degrees, REACH index (-1: not on the water), KM chainage, KIND (below). Worked out from the
fixes before it: SINCE, ms since when the unit has kept within `event_still_m` of where it came to rest; MOVED, when it
last left such a place (-1: not since its track began); X, Y, that place; ALONG, m/s downstream along the water over the
window that ends here, SPEED, m/s as the crow flies over it (NaN: not known).
"""

from __future__ import annotations

T, LON, LAT, REACH, KM, KIND, SINCE, MOVED, X, Y, ALONG, SPEED = range(12)
WIDTH = 12

OTHER, TRAFFIC, PATROL, SEEN, PATROL_OTHER = range(5)  # traffic boat, patrol boat, detection of a sensor, other patrols

SAMPLE = 20  # fixes told with an event, at most

# a run of fixes that are alike (`kernels.runs`): which place it is about (+ 1; 0: no run), when it began, its last such
# fix, whether another came after it, whether it is an event; of the fixes up to that moment: how many, the sum, least
# and greatest of their speed, every how many-th is kept, how many are kept, the last of them all; where it began; the fixes kept
ON, START, LAST, BROKEN, OPENED, COUNT, SUM, LEAST, MOST, STRIDE, KEPT, AT_REACH, AT_KM, UNTIL = range(14)
FIXES = 14
RUN = FIXES + 3 * SAMPLE

# silences (`kernels.gaps`): how many intervals have been, then a ring of the last ones
INTERVALS = 60
GAP = 1 + INTERVALS
# a silence told: begin, end (-1: goes on), place, reach, km, threshold ms, median interval ms, intervals
G_START, G_END, G_LON, G_LAT, G_REACH, G_KM, G_LIMIT, G_MEDIAN, G_COUNT = range(9)
GAP_OUT = 9

# a patrol (`kernels.overdue`): whether there is one, begin and place of it, its last fix, whether that is away from the
# begin; whether it is out too long, and whether it has been
P_ON, P_BEGIN, P_LON, P_LAT, P_LAST, P_AWAY, P_OUT, P_DONE, P_LASTLON, P_LASTLAT, P_OUTLON, P_OUTLAT = range(12)
OVERDUE = 12
# an overdue patrol told: begin, end (-1: goes on), place, begin of the patrol, its place, last fix, 1: silent, 0: long
O_START, O_END, O_LON, O_LAT, O_BEGIN, O_BLON, O_BLAT, O_LAST, O_SILENT = range(9)
OVERDUE_OUT = 9
