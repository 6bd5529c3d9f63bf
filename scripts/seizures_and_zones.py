"""Each seizure with the zones that held there at that moment and who was near.

    python scripts/seizures_and_zones.py workspace seizures-and-zones.xlsx

In: the latest run of a workspace. Out: an Excel sheet with a row a seizure and zone; zone columns are empty where
no zone held.
"""

import sys

import geo_monitor as gm
from geo_monitor.export import cells

workspace, output = gm.open(sys.argv[1]), sys.argv[2]

seizures = workspace.table("seizures")
links = workspace.table("seizure_links")
zones = workspace.table("zones").drop_duplicates("zone_id", keep="last").drop(columns="geometry")

rows = seizures[["report_id", "time", "place", "gear", "catch_kg", "disposition"]].merge(links, on="report_id")
rows = rows.explode("zone_ids").rename(columns={"zone_ids": "zone_id"})
rows = rows.merge(zones[["zone_id", "name", "category", "rule"]], on="zone_id", how="left")
cells(rows).to_excel(output, index=False)

inside = rows.loc[rows["zone_id"].notna(), "report_id"].nunique()
print(f"{len(seizures)} seizures, {inside} of them inside a zone in force at that moment")
print(rows.groupby(["name", "gear"], dropna=False).size().sort_values(ascending=False).head(15).to_string())
