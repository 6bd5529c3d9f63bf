"""Hotspots of a year as a GeoPackage layer, worst first, with how sure each figure is.

    python scripts/yearly_hotspots.py workspace 2026 hotspots-2026.gpkg

In: a workspace with tracks and seizures. Out: a layer `hotspots` of the reaches somebody looked at.
"""

import sys

import geo_monitor as gm

workspace, year, output = gm.open(sys.argv[1]), int(sys.argv[2]), sys.argv[3]

run = workspace.analyse(start=f"{year}-01-01", end=f"{year + 1}-01-01")
hot = run.table("hotspots")
shapes = run.table("reaches")[["reach_id", "geometry"]]

# "worst" is by the probability of being hot, ties by rate; a reach nobody looked at says nothing
looked = hot[hot["state"] != "not_looked"].sort_values(["p_hot", "rate"], ascending=False)
layer = shapes.merge(looked, on="reach_id", how="right")
layer["adcodes"] = layer["adcodes"].str.join(";")
layer.to_file(output, layer="hotspots", driver="GPKG")

print(
    looked.head(20)[
        ["river", "km_from", "km_to", "patrol_h", "seizures", "rate", "rate_lo", "rate_hi", "p_hot"]
    ].to_string()
)
