"""Where is it hot, corrected for where anybody looked. One method a file; arrays in, arrays out.

| file | question | in -> out |
|---|---|---|
| `rates.py` | how many cases an hour of looking finds | cases, hours, links -> rate, rate_lo, rate_hi, rr, p_hot |
| `field.py`, `sparse.py` | ... its model along the water, and the sparse matrices of that | |
| `propagation.py`, `tilted.py` | ... how the posterior is found, and the moments of a cell's own law | |
| `mixtures.py` | ... what is known of a reach, over all hyperparameters | laws, cases, hours -> distribution |
| `gamma.py` | mixtures of gamma laws asked often: tables, quantiles | shapes, scales, weights -> probabilities |
| `exchangeable.py` | the same without neighbours (gamma-Poisson) | cases, hours -> `Posterior` |
| `habit.py` | do patrols follow the risk, so that rates lean | cases, hours -> `Habit` |
| `newton.py` | the top of a concave function | value, step -> place |
| `gistar.py` | is a stretch high (or low) together | rate, looked, distances -> gi_z, q_value |
| `series.py`, `emerging.py` | how did it become so | cases, hours by step -> z by step -> class |
| `scan.py` | which connected stretch stands out, when | cases, expected, links -> clusters |
| `near_repeat.py` | is the next case near the last | case places and days, hours -> bands |
| `operations.py`, `displacement.py` | did a surge help, or only move it | hours -> surges -> verdicts |
| `heat.py`, `reemergence.py`, `relapse.py` | is it back, and how long does quiet last | cases, hours, places -> watch -> curve |
| `why.py` | what stands behind a rate, what would a shift teach | posterior -> a row a reach |
| `predictability.py` | how well could lookouts guess us | patrols -> a row a unit and month |
| `table.py` | the public table `hotspots` | all of it, a row a reach |

No files, no clock; randomness comes with a `seed`.
"""

from __future__ import annotations

from geo_monitor.hotspots.displacement import displacement
from geo_monitor.hotspots.emerging import emerging
from geo_monitor.hotspots.forecast import forecast
from geo_monitor.hotspots.gistar import benjamini_hochberg, gistar
from geo_monitor.hotspots.habit import Habit, habit
from geo_monitor.hotspots.near_repeat import near_repeat
from geo_monitor.hotspots.operations import around, flow, operations, rings
from geo_monitor.hotspots.predictability import predictability
from geo_monitor.hotspots.rates import Posterior, posterior, rates
from geo_monitor.hotspots.reemergence import Spell, spells, watch
from geo_monitor.hotspots.relapse import relapse_curve, stretches
from geo_monitor.hotspots.scan import scan
from geo_monitor.hotspots.series import gi_series
from geo_monitor.hotspots.table import adcodes, state, table
from geo_monitor.hotspots.why import why

__all__ = [
    "Habit",
    "Posterior",
    "Spell",
    "adcodes",
    "around",
    "benjamini_hochberg",
    "displacement",
    "emerging",
    "flow",
    "forecast",
    "gi_series",
    "gistar",
    "habit",
    "near_repeat",
    "operations",
    "posterior",
    "predictability",
    "rates",
    "relapse_curve",
    "rings",
    "scan",
    "spells",
    "state",
    "stretches",
    "table",
    "watch",
    "why",
]
