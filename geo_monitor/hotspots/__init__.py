"""Where is it hot, corrected for where anybody looked. One method a file; arrays in, arrays out.

| file | method | in -> out |
|---|---|---|
| `rates.py` | rates that borrow strength along the water | cases, hours, links -> rate, rate_lo, rate_hi, rr, p_hot |
| `field.py`, `sparse.py` | ... their model, and its sparse matrices | |
| `exchangeable.py` | rates without neighbours (gamma-Poisson) | cases, hours -> the same |
| `gistar.py` | local Gi* along the water | rate, looked, distances -> gi_z, q_value |
| `table.py` | the public table `hotspots` | all of it, a row a reach |

No files, no clock; randomness comes with a `seed`.
"""

from __future__ import annotations

from geo_monitor.hotspots.gistar import benjamini_hochberg, gistar
from geo_monitor.hotspots.rates import Posterior, posterior, rates
from geo_monitor.hotspots.table import adcodes, state, table

__all__ = ["Posterior", "adcodes", "benjamini_hochberg", "gistar", "posterior", "rates", "state", "table"]
