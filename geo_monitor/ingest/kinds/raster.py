"""Water masks: GeoTIFFs that tell water from bank."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from geo_monitor import tables
from geo_monitor.errors import Refused
from geo_monitor.ingest.receipt import Held, Message, Options, Receipt, Upload
from geo_monitor.settings import Settings

if TYPE_CHECKING:
    from geo_monitor.ingest.archives import Member


def upload(
    receipt: Receipt, members: list[Member], options: Options, held: Held, settings: Settings, file: str, digest: str
) -> Upload:
    """One raster as one row of `rasters`; the bytes are kept by the store under their SHA-256."""
    import pandas as pd

    from geo_monitor.ingest.readers import raster

    if len(members) != 1:
        raise Refused("raster_one", file=file, found=len(members))
    found = raster.read(members[0].path, options.crs, settings, file)
    warnings = []
    if found.data == 0:
        warnings.append(Message("raster_all_nodata", {"file": file}))
    elif found.water == 0:
        warnings.append(Message("raster_no_water", {"file": file}))
    row = pd.DataFrame({
        "raster_id": [digest], "version": [1], "what": ["water_mask"], "name": [file], "width": [found.width],
        "height": [found.height], "pixel_m": [found.pixel_m], "agency": [options.agency], "geometry": [found.outline],
        "receipt_id": [receipt.receipt_id],
    })  # fmt: skip
    crs = {"used": found.crs, "how": "given" if options.crs else "declared", "datum": "wgs84", "confidence": 1.0}
    there = held.records("raster")
    if len(there) and digest in set(there["raster_id"]):
        rows = {"read": 1, "accepted": 0, "quarantined": 0, "unchanged": 1, "corrected": 0}
        return Upload(replace(receipt, status="duplicate", rows=rows, crs=crs))
    rows = {"read": 1, "accepted": 1, "quarantined": 0, "unchanged": 0, "corrected": 0}
    status = "accepted_with_warnings" if warnings else "accepted"
    made = replace(receipt, status=status, rows=rows, crs=crs, warnings=tuple(warnings))
    return Upload(made, tables.table("rasters").conform(row))
