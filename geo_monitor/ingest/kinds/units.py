"""Who can be sent: boats, teams, drones, cameras."""

from __future__ import annotations

import numpy as np

from geo_monitor.ingest.kinds.source import Source, Taken, or_else


def take(source: Source) -> Taken:
    """Rows of `units`; a unit without an id is known by its name, or its AIS number."""
    import pandas as pd

    source.need("unit_id", "name", "mmsi")
    name, mmsi = source.texts("name"), source.texts("mmsi")
    unit = or_else(or_else(source.texts("unit_id"), name), mmsi)
    source.ledger.refuse(np.array([cell is None for cell in unit], dtype=bool), "unit_nameless")
    frame = pd.DataFrame({
        "unit_id": unit, "mmsi": mmsi, "name": or_else(name, unit), "platform": source.words("platform"),
        "agency": source.agencies(), "base": source.texts("base"),
        "capability": source.texts("capability"), "crew": source.numbers("crew", 0.0), "speed_kn": source.numbers("speed_kn", 0.0),
        "duty": source.texts("duty"),
    })  # fmt: skip
    return Taken(frame)
