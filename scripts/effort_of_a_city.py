"""Patrol hours of one city, by river, month and platform.

    python scripts/effort_of_a_city.py workspace 420500 effort-yichang.csv

In: the latest run of a workspace; an adcode. Out: a CSV with a row a river, month and platform. A reach whose two banks
belong to two cities counts whole for each of them.
"""

import sys

import pandas as pd

import geo_monitor as gm

workspace, adcode, output = gm.open(sys.argv[1]), sys.argv[2], sys.argv[3]

reaches = workspace.table("reaches")
ours = reaches[(reaches["adcode_left"] == adcode) | (reaches["adcode_right"] == adcode)]
effort = workspace.table("effort").merge(ours[["reach_id", "river", "length_m"]], on="reach_id")

effort["month"] = pd.to_datetime(effort["day"]).dt.strftime("%Y-%m")
hours = effort.groupby(["river", "month", "platform"], as_index=False)[
    ["minutes", "stakeout_minutes", "reported_minutes"]
].sum()
for name in ("minutes", "stakeout_minutes", "reported_minutes"):
    hours[name.replace("minutes", "hours")] = (hours.pop(name) / 60).round(2)
hours.to_csv(output, index=False, encoding="utf-8-sig")

seen = effort["reach_id"].nunique()
print(f"{len(ours)} reaches, {seen} of them looked at; {hours['hours'].sum():,.1f} h")
