"""Every judgement that is a number, once, with its unit and its source.

`Settings()` holds the defaults of the public contract. A workspace may override any of them in `settings.toml`:

    patrol_split_s = 2400
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from geo_monitor.errors import Refused


@dataclass(frozen=True)
class Settings:
    # --- the river as space -------------------------------------------------------------------------------------
    reach_length_m: float = 500.0  # metres; `--reach-length`. Source: CONTRACT
    accuracy_m: float = 500.0  # metres; of river lines that state none. Source: CONTRACT
    accuracy_shipped_m: float = 2000.0  # metres; Natural Earth 1:10m lines against real channel. Source: CONTRACT
    tolerance_factor: float = 2.0  # locating tolerance = factor * accuracy + half the water width. Source: CONTRACT
    vertex_snap_m: float = 1.0  # metres; vertices closer than this are one vertex (drawing noise, far below accuracy)
    bridge_factor: float = 5.0  # a gap up to factor * accuracy at a line end is closed (Natural Earth: 3.4 km)
    lake_resolution_near: int = 8  # H3 resolution of lake cells near a channel (0.74 km2). Source: DESIGN
    lake_resolution_far: int = 7  # H3 resolution of other lake cells (5.2 km2). Source: DESIGN
    lake_near_m: float = 5000.0  # metres; "near a channel". Source: DESIGN
    lake_link_m: float = 80_000.0  # metres; a lake without a line through it drains to the nearest channel within this
    bank_search_m: float = 20_000.0  # metres; how far from the line a bank's locality is looked for
    speed_limit_mps: float = 30.0  # m/s; faster along the water than any patrol boat: the path was not travelled
    # --- effort -------------------------------------------------------------------------------------------------
    gap_s: float = 600.0  # seconds; longer between two fixes adds no effort (exactly 600 counts). Source: CONTRACT
    patrol_split_s: float = 1800.0  # seconds; a patrol without id ends at a longer gap. Source: CONTRACT
    stakeout_s: float = 900.0  # seconds; at least this long ... Source: CONTRACT
    stakeout_m: float = 150.0  # metres; ... within this distance is a stake-out. Source: CONTRACT
    stakeout_stray_s: float = 120.0  # seconds; out of that distance and back within this is GPS noise
    night_from_h: float = 20.0  # hours on the Shanghai clock; offences are mostly at night: from ... Source: DOMAIN
    night_to_h: float = 4.0  # ... to. Source: DOMAIN
    # --- zone visits (Part 1, section 5) ------------------------------------------------------------------------
    visit_fixes: int = 2  # successive fixes inside that begin a visit ...
    visit_s: float = 60.0  # ... or seconds inside
    visit_exit_m: float = 50.0  # metres outside that end a visit at once ...
    visit_exit_s: float = 300.0  # ... or seconds with every fix outside
    visit_observed_s: float = 300.0  # seconds between two fixes up to which the crossing between them is observed
    # --- water level rules --------------------------------------------------------------------------------------
    level_hold_h: float = 26.0  # hours a reading holds if no other comes: gauges report at 08:00 each day, 2 h late
    level_low_m: float = -10.0  # metres; readings outside of these are no levels (the mouth lies at 0 ...
    level_high_m: float = 5500.0  # ... and the highest gauge of the Yangtze under 5,500)
    level_apart_m: float = 100.0  # metres from the station's median; the Three Gorges, the widest, swing by 60
    # --- seizures -----------------------------------------------------------------------------------------------
    nearest_window_s: float = 1800.0  # seconds; a unit was there if it has a fix this close in time. Source: CONTRACT
    there_m: float = 2000.0  # metres; ... and this close in place (the Gi* neighbourhood: a reach and those around it)
    # --- hotspots -----------------------------------------------------------------------------------------------
    looked_h: float = 2.0  # hours; under this in the period a reach is not_looked. Source: DESIGN
    hot_factor: float = 2.0  # p_hot = P(rate > factor * basin rate). Source: CONTRACT
    hot_p: float = 0.8  # hot from this probability. Source: CONTRACT
    cold_factor: float = 0.5  # cold: P(rate < factor * basin rate) ...
    cold_p: float = 0.8  # ... is at least this. Source: CONTRACT
    interval: float = 0.90  # credible interval. Source: CONTRACT
    band_m: float = 2000.0  # metres by water; Gi* neighbourhood, self included. Source: CONTRACT
    gi_permutations: int = 99_999  # conditional permutations for the Gi* pseudo p-value; 999 leave no q-value small
    # hyperprior of the rates: weak, so that no data degenerate; docs/methods-hotspots.md says what it means
    rate_prior_median: float = 0.1  # cases per hour; basin mean rate, log-normal around it ...
    rate_prior_log_sd: float = 2.0  # ... with this log sd: 95 % within 0.002-5 per hour
    spread_prior_mean: float = 1.5  # coefficient of variation between reaches: gamma law of this mean ...
    spread_prior_shape: float = 3.0  # ... and shape (away from 0: few cases must not pass for an even river) ...
    spread_min: float = 0.05  # ... cut off here (reaches all but alike) ...
    spread_max: float = 4.0  # ... and here (beyond, a gamma's mean can leave its own 90 % interval)
    # hyperprior of the field of log rates along the water (hotspots/field.py)
    field_sd_prior_mean: float = 1.0  # spread of log rates between reaches: gamma law of this mean ...
    field_sd_prior_shape: float = 3.0  # ... and shape (away from 0, for the same reason)
    field_share_prior_a: float = 2.0  # share of that spread that runs along the water: beta law of mean 0.67, so that a
    field_share_prior_b: float = 1.0  # reach's own part needs evidence
    field_range_prior_median: float = 8.0  # reaches over which neighbours stay alike (4 km of 500 m): log-normal ...
    field_range_prior_log_sd: float = 1.0  # ... with this log sd: 95 % within 1-57 reaches
    # ... and of pockets, single reaches that stand out of it
    pocket_share_prior_median: float = 0.02  # share of reaches that are pockets: log-normal around one in 50 ...
    pocket_share_prior_log_sd: float = 0.5  # ... with this log sd: 95 % between one in 130 and one in 19; with 1.0 a
    # few cases on a river where every reach differs passed for pockets, and intervals were too narrow
    pocket_raise_log: float = 1.5  # log of how much a pocket is raised: normal around 4.5-fold ...
    pocket_raise_log_sd: float = 0.75  # ... with this sd: 95 % between 1- and 20-fold
    habit_reaches_min: int = 30  # reaches with a case before it is told whether patrols follow the risk
    predictability_place_km: float = 5.0  # km; patrols that start within the same 5 km start from the same place
    predictability_move_m: float = 1000.0  # metres along the river after which a patrol's first direction is plain
    why_near_m: float = 2000.0  # metres by water; the neighbours a reach's rate is told with (as the Gi* band)
    why_alike: float = 1.5  # factor of hours within which two reaches were looked at alike
    why_rest: float = 1e-3  # probability of outcomes of a shift left out of its worth ...
    why_cases: int = 40  # ... unless a shift found more cases than this
    why_wanted: float = 0.2  # expected narrowing from which a shift is recommended even where the state is known
    shift_h: float = 8.0  # hours of a patrol shift (stake-outs last 7-9 h). Source: DOMAIN
    step_days: int = 28  # days; a step of `class`, counted back from the end. Source: CONTRACT
    steps_min: int = 10  # fewer steps give class none. Source: CONTRACT
    step_looked_h: float = 1.0  # hours; a step counts as looked at from this. Source: CONTRACT
    step_z: float = 1.96  # |z| of a hot or cold step. Source: CONTRACT
    emerging_share: float = 0.9  # share of looked steps: persistent and its kin, historical. Source: CONTRACT
    emerging_trend_p: float = 0.05  # two-sided p of Mann-Kendall under which a trend is told
    # --- forecast -------------------------------------------------------------------------------------------------
    forecast_season_sd: float = 0.5  # log units; amplitude of the year's wave: 95 % within 2.7-fold either way
    forecast_range_prior_days: float = (
        180.0  # days over which a reach stays alike (0.14 left): log-normal of median ...
    )
    forecast_range_prior_log_sd: float = 1.0  # ... with this log sd: 95 % within 25 days to 3.6 years
    forecast_rings: int = 8  # links from the last look beyond which a reach has what all share (4 km of 500 m)
    # --- near repeat ----------------------------------------------------------------------------------------------
    near_repeat_km: tuple[float, ...] = (0.0, 1.0, 2.0, 5.0, 10.0)  # km by water, upper ends of bands; 0: same reach
    near_repeat_days: tuple[float, ...] = (2.0, 7.0, 14.0, 28.0, 56.0)  # days apart, upper ends of bands (inclusive)
    near_repeat_period_days: float = (
        7.0  # days; cases per period stay as they were: a season or a run of fish is no repeat
    )
    near_repeat_permutations: int = 999  # worlds of the null: smallest q over 25 bands 0.025
    near_repeat_returned: float = 1.3  # patrols go back after a case by more: no answer (docs/methods-near-repeat.md)
    near_repeat_q: float = 0.05  # a band is raised up to this false discovery rate
    # --- displacement ---------------------------------------------------------------------------------------------
    displacement_ring_m: tuple[float, ...] = (2000.0, 5000.0)  # metres by water; inner and outer ring of an operation
    displacement_p: float = 0.95  # fell, rose: from this probability (the end of a 90 % interval)
    displacement_prior_log_sd: float = 1.0  # log rate ratio to control, before data: 95 % within 7-fold either way
    displacement_looked_share: float = 0.5  # share of a ring's reaches looked at (`looked_h`) before and after
    displacement_steps: int = 3  # steps before and after an operation that are compared (3 x 28 days)
    surge_factor: float = 3.0  # a patrol surge: hours of a step over the median of the steps before ...
    surge_min_h: float = 6.0  # ... and hours more than it (one shift of a boat)
    surge_steps: int = 3  # ... of at least so many looked steps
    # --- re-emergence watch -----------------------------------------------------------------------------------------
    reemergence_clocks: tuple[int, ...] = (30, 90, 180, 365)  # days after treatment. Source: the campaign's aim
    reemergence_near_days: float = 28.0  # days; a treatment this close to a spell's last hot step treated that spell
    reemergence_gap_days: float = 28.0  # days; each stretch this long must have been looked at: hours of ...
    reemergence_looked_h: float = 2.0  # ... all reaches of the place together, and a look at ...
    reemergence_looked_share: float = 0.5  # ... this share of its reaches; else the stretch is an unlooked gap
    reemergence_p: float = 0.8  # back from this probability (as hot_p); quiet only up to 1 minus it
    reemergence_chance: float = 0.05  # a place that was hot: chance of as many cases anywhere on the river up to this
    reemergence_half_days: float = 730.0  # days; before any data half the places are back by then (false alarms: docs)
    # scan (docs/methods-scan.md has the measurements behind the search)
    scan_stop: int = 50  # replicates as large as the data after which no more are drawn: p > 0.05 by then with 999
    scan_window: float = 0.5  # longest window as a share of the steps. Source: usual in scans (Kulldorff 2001)
    scan_clusters: int = 10  # clusters listed at most
    scan_members: int = 500  # reaches in a cluster at most: bounds time and memory where all of a river was looked at
    scan_exact: int = 50_000  # reaches in all connected sets together up to which every one is tried
    scan_starts: int = 32  # beyond: so many of the best zones by links are improved ...
    scan_changes: int = 2  # ... by so many changes each; more finds chains of chance in lakes and costs power
    # --- predictability of patrols -----------------------------------------------------------------------------------
    predictability_min: int = 10  # patrols of a unit and month under which nothing is said of a habit
    predictability_draws: int = 500  # posterior draws behind an interval: its ends to about 0.01
    # --- brief of a place (app/brief.py) ------------------------------------------------------------------------------
    brief_near_m: float = 2000.0  # metres by water; cases and hot neighbours of a place (as the Gi* band)
    brief_border_m: float = 5000.0  # metres by water; localities that begin within this are partners
    brief_fix_h: float = 2.0  # hours; a unit whose last fix is older is not named as near
    brief_units: int = 5  # units named at most
    brief_cases: int = 12  # cases listed at most, latest first
    brief_visits: int = 8  # days or visits listed at most, latest first
    brief_days: int = 30  # days back over which patrol hours of a place are summed; unseen for longer is told
    brief_share: float = 0.6  # share of cases from which a gear, a bank or an hour is named to be checked ...
    brief_least: int = 3  # ... of at least so many cases
    # exposure weights: hours of a platform in units of boat hours, stated until the data allow an estimate
    # (hotspots/exposure.py); 0 keeps a platform out
    weight_boat: float = 1.0
    weight_foot: float = 1.0
    weight_drone: float = 1.0
    weight_vehicle: float = 1.0
    weight_camera: float = 1.0
    weight_prior_log_sd: float = 0.7  # log weight around the stated one, before data: 95 % within 4-fold either way
    weight_cases_min: int = 20  # cases that could tell, under which a stated weight stays
    # --- accounts -------------------------------------------------------------------------------------------------
    password_length: int = 10  # characters a password has at least
    sign_in_tries: int = 5  # wrong passwords after which an account is locked ...
    sign_in_lock_s: float = 900.0  # ... for so many seconds
    sign_in_rows: int = 60  # rows a minute that refused sign-ins of unknown names may add to the audit book
    sign_in_fresh_s: float = 300.0  # seconds for which what an identity provider told opens a session
    session_h: float = 12.0  # hours a sign-in lasts at most: one duty shift
    session_idle_s: float = 3600.0  # seconds without a click after which it ends
    # --- ingest -------------------------------------------------------------------------------------------------
    encoding_sure: float = 0.80  # confidence under which text is not read without being asked
    upload_seconds: float = 60.0  # wall seconds a parser may take per 100 MB of upload
    upload_memory_mb: int = 1024  # megabytes a parser may use for a small upload ...
    upload_memory_factor: float = 8.0  # ... and this many more for each megabyte (fixes, read in parts, take none)
    upload_memory_share: float = 0.75  # share of the machine's memory that no parser goes beyond
    upload_output_mb: float = 4000.0  # megabytes a parser may write (twice `archive_mb`: unpacked, and its rows) ...
    upload_output_factor: float = 4.0  # ... and this many more for each megabyte
    crs_sure: float = 0.80  # confidence under which numbers are not taken for a reference system without being asked
    datum_sure: float = (
        0.99  # probability from which coordinates are turned back from GCJ-02 or BD-09 without being told
    )
    datum_reference_m: float = 100.0  # metres; references coarser than this can't tell a shift of 300-700 m
    datum_place_m: float = 1000.0  # metres; what points within one cell of this size show is one proof, however many
    datum_decoy_m: float = 1500.0  # metres; offsets up to this are tried as decoys (BD-09 shifts by up to 1,300)
    datum_decoy_share: float = 0.01  # probability that a file has an unknown offset: a levee road, one bank, a blunder
    datum_prior: tuple[float, ...] = (0.90, 0.08, 0.02)  # wgs84, gcj02, bd09 of a file that names no datum
    datum_prior_format: tuple[float, ...] = (0.97, 0.025, 0.005)  # where the format (GeoJSON, KML, GPX) means WGS84
    basin_west: float = 88.0  # degrees; box around the Yangtze basin: tells swapped axes, wrong hemispheres
    basin_south: float = 22.0
    basin_east: float = 124.0
    basin_north: float = 37.0
    future_s: float = 3600.0  # seconds; a time further ahead of the clock is no report but a wrong clock
    earliest_year: int = 2000  # times before are dead clocks (1970, 1980): no satellite positioning for boats then
    jump_mps: float = 60.0  # m/s; faster than any boat, car or drone of a patrol: the fix is wrong, or the track is cut
    jump_slack_m: float = 200.0  # metres; a jump shorter than this is noise of times and fixes, not a jump
    twice_m: float = 5.0  # metres; two units this close at the same milliseconds ...
    twice_share: float = 0.9  # ... in this share of their fixes ...
    twice_way_m: float = 500.0  # ... along this way are one boat under two names
    frozen_s: float = 600.0  # seconds; the same place to the last digit for this long, though the receiver tells a ...
    frozen_mps: float = 1.0  # ... speed above this (m/s, twice what drifting tells), is a frozen receiver
    same_place_m: float = 30.0  # metres; two fixes of a unit at one moment this close are one fix sent twice
    area_change: float = 0.01  # share; a repair that changes a zone's area by more is told with both areas
    sliver_m: float = 1.0  # metres; a zone narrower than this is told: nobody draws such a zone on purpose
    cell_characters: int = 32_767  # a longer cell is cut (what a spreadsheet cell can hold)
    # quality of uploads (quality.py): weights of the shares; what was taken in weighs half
    quality_taken: float = 50.0
    quality_clean: float = 15.0
    quality_in_time: float = 15.0
    quality_whole: float = 10.0
    quality_steady: float = 5.0
    quality_declared: float = 5.0
    quality_days: int = 7  # days after its own day up to which a row came in time: agencies report by the week
    quality_rows: int = 10  # fewer rows a month ...
    quality_uploads: int = 3  # ... in fewer uploads are too few to say
    archive_members: int = 2_000  # files in an archive
    archive_mb: float = 2_000.0  # megabytes an archive may unfold to
    archive_ratio: float = (
        200.0  # unfolded / packed size of one member, and of all; above is a bomb (maps and tables pack 3-30 fold)
    )
    archive_depth: int = 2  # archives in archives
    json_depth: int = 64  # levels of nesting in GeoJSON
    raster_pixels: float = 4e9  # pixels a raster may have (2 m over 100 x 160 km)
    # --- feeds (docs/feeds.md) ------------------------------------------------------------------------------------
    feed_line_bytes: int = 65_536  # bytes of a line; a longer one is refused (an NMEA sentence has 82)
    feed_batch: int = 2_000  # lines after which a batch is given on
    feed_queue_mb: float = 8.0  # megabytes that wait between a socket and the store; full: senders wait, UDP is lost
    feed_senders: int = 64  # connections at once
    feed_pause_s: float = 1.0  # seconds until a lost connection is tried again, twice as long each time ...
    feed_pause_most_s: float = 30.0  # ... up to this
    feed_poll_s: float = 0.2  # seconds between two looks at files
    feed_half_s: float = 2.0  # seconds after which a whole last line without its end counts as written
    feed_body_mb: float = 1.0  # megabytes of a message (HTTP, MQTT); larger is refused
    feed_answer_s: float = 30.0  # seconds a sender over HTTP may take to send, and waits for its fixes to be stored
    feed_parts: int = 64  # AIS messages of several sentences that wait for their parts ...
    feed_part_lines: int = 200  # ... for so many AIS sentences: the number of a message comes again after 10
    feed_base_s: float = 600.0  # seconds a base station's clock holds (they report every 10 s); in a recording ...
    feed_base_lines: int = 1_000  # ... so many AIS sentences
    feed_future_s: float = 120.0  # seconds; a fix further ahead of the clock at arrival has a wrong clock
    feed_skew_fixes: int = 20  # fixes in a row that are off the clock by more than that ...
    feed_skew_s: float = 10.0  # ... and within this of each other are a clock that is set wrong
    feed_split_s: float = 600.0  # seconds within which two places of one number must alternate ...
    feed_split_fixes: int = 3  # ... with so many fixes each to be two boats
    feed_silent_s: float = 1800.0  # seconds of silence after which a boat may be far away: it was moved
    feed_tracks: int = 4  # places that are followed under one number
    feed_held: int = 1_000  # fixes of one number that wait for proof of their place
    feed_memory: int = 200_000  # fixes remembered to know repeats (80 MB)
    feed_units: int = 50_000  # numbers followed at once; the one heard of least lately is forgotten

    # --- loop -----------------------------------------------------------------------------------------------------
    rule_backtest_days: float = 90.0  # days of stored fixes on which a rule is tried before it goes live
    event_beat_s: float = 5.0  # seconds between two looks at what came in (a replay: of the fixes' own clock)
    event_back_days: float = 14.0  # days; the watch looks no further back for what a unit did before it was heard of
    event_revise_s: float = 600.0  # seconds after which an event that goes on is written again with what was measured
    feed_seal_s: float = 120.0  # seconds after which fixes of feeds become a file with a receipt ...
    feed_seal_fixes: int = 50_000  # ... where so many came, and else ...
    feed_seal_most_s: float = 900.0  # ... after this: 96 files a day of a feed that brings under 55 fixes a second
    compact_files: int = 16  # files of positions from which a watch compacts a day ...
    compact_after_h: float = 6.0  # ... that has been over for so many hours: late fixes are in by then
    expire_days_least: int = 731  # days of positions that nobody can let go: this year and the one before (one may be a
    # leap year), without which no report can set a campaign against that of a year ago
    # --- events (events/; docs/events.md) ---------------------------------------------------------------------------
    event_late_s: float = 1800.0  # seconds; a fix this much older than its unit's newest costs nothing: state is kept
    event_cut_s: float = (
        21_600.0  # seconds of silence after which a unit's story begins anew: bounds what is read again
    )
    event_keep_s: float = 604_800.0  # seconds; what ended longer ago is not revised by detectors that run on and on
    event_leg_s: float = 600.0  # seconds between two fixes up to which a boat was on the line between them: a slow boat
    # on AIS class B sends every 3 min (ITU-R M.1371), and a report gets lost; as the gap of effort
    event_window_s: float = 180.0  # seconds over which speed is measured: GPS noise of 10 m is 0.1 knots then
    event_still_m: float = 100.0  # metres; a boat at its moorings keeps within this
    event_slow_low_kn: float = 0.2  # knots; slower is lying still. Netting and electro-fishing runs go from here ...
    event_slow_high_kn: float = 2.5  # knots; ... to here. Source: the issue
    event_slow_s: float = 600.0  # seconds of it that make an event ...
    event_slow_break_s: float = 120.0  # ... and of anything else that end it
    event_current_mps: float = 0.0  # m/s downstream that the water runs; 0: not known, and the evidence says so
    event_meeting_m: float = 50.0  # metres apart, two boats that can hand something over ...
    event_meeting_s: float = 600.0  # ... for seconds
    event_meeting_step_s: float = 30.0  # seconds; moments at which places are compared (whole multiples, UTC)
    event_meeting_still_s: float = 7200.0  # seconds; two boats that both kept still for this long are moored neighbours
    event_gap_s: float = 900.0  # seconds of silence, at least ...
    event_gap_factor: float = 5.0  # ... and so many of the unit's own median intervals ...
    event_gap_intervals: int = 60  # ... over its last so many (at most 60 are kept)
    event_gap_moored_s: float = 1800.0  # seconds; a boat that kept still for this long may switch off
    event_gap_near_m: float = 30_000.0  # metres; others a shore station would hear too ...
    event_gap_heard_s: float = 900.0  # ... if they were heard in the seconds before
    event_gap_others: int = 3  # that many others tell that the station, not the boat, fell silent ...
    event_gap_share: float = 0.8  # ... if this share of them did
    event_gap_same: float = 1 / 3  # they may send on for this share of the time after which the boat counts as silent
    event_dark_m: float = 200.0  # metres; radar and camera ranges are that good
    event_dark_s: float = 120.0  # seconds; clocks of sensors and boats agree to that
    event_dark_join_s: float = 600.0  # seconds; detections of one sensor's target closer than this are one event
    event_loiter_m: float = 150.0  # metres from a closed landing
    event_loiter_kn: float = 1.0  # knots; slower is waiting or unloading ...
    event_loiter_s: float = 1800.0  # ... for seconds
    event_loiter_break_s: float = 120.0  # seconds of anything else that end it
    event_overdue_s: float = 43_200.0  # seconds after which a patrol should be back: a stake-out and a way home
    event_overdue_silent_s: float = 3600.0  # seconds of silence of a patrol ...
    event_overdue_m: float = 500.0  # ... farther than this from where it began
    event_avoids_m: float = 3000.0  # metres by water (between middles of reaches); a patrol that a lookout sees
    event_avoids_apart_s: float = 1800.0  # seconds without a patrol that near that part two approaches
    event_avoids_rest_m: float = 200.0  # metres within which a boat lies or works ...
    event_avoids_rest_s: float = 600.0  # ... if it kept there for seconds: only such can leave
    event_avoids_left_m: float = 1000.0  # metres; gone ...
    event_avoids_left_s: float = 900.0  # ... within seconds
    event_avoids_days: float = 30.0  # days looked back over
    event_avoids_least: int = 3  # approaches at which it left, at least
    event_avoids_p: float = 0.05  # chance of as many at its own rate of leaving in quiet times
    # --- dispatch: who can be there first -------------------------------------------------------------------------
    # speeds of units that tell none: working figures, for the agency to set
    dispatch_boat_kn: float = 25.0  # knots through the water; a patrol launch
    dispatch_rubber_boat_kn: float = 15.0  # knots; a laden inflatable with an outboard
    dispatch_vehicle_mps: float = 11.1  # m/s = 40 km/h, over levee roads and through villages
    dispatch_foot_mps: float = 1.4  # m/s = 5 km/h, a brisk walk
    dispatch_drone_mps: float = 15.0  # m/s; cruise of a small quadcopter
    dispatch_detour: float = 1.4  # road over straight line. Source: Kim et al. 2015 (docs/dispatch.md): 1.26 for a
    # country, up to 1.44 in its hills; the upper end, for a way that ends on a bank where roads are few
    dispatch_drone_range_m: float = 8000.0  # metres out in a straight line that leave a drone time to look and return
    dispatch_fix_s: float = 1800.0  # seconds; a unit whose last fix is older starts from its base (as nearest_window_s)
    dispatch_at_base_m: float = 300.0  # metres; a unit whose fix is this close to its base is at its base
    dispatch_mobilise_s: float = 600.0  # seconds to get under way from the base. DOMAIN: orders take 10 to 30 minutes
    dispatch_call_in_s: float = 1800.0  # seconds to call in a crew that is off duty (the upper end of the same)
    dispatch_margin_s: float = 900.0  # seconds after the reckoned arrival at which a tasking is due
    dispatch_toward_m: float = 200.0  # metres nearer to the place than when it accepted: the unit is under way
    dispatch_there_m: float = 300.0  # metres; a unit with a fix this close to the place is on the scene
    # --- warnings and their rules (alerts/; docs/warnings.md) ---------------------------------------------------------
    # an event this close by water to an open warning's place (metres, as the Gi* band), or by one of its boats, and within
    # so many hours of it (one outing) is the same situation
    alerts_join_m: float = 2000.0
    alerts_join_h: float = 3.0
    alerts_late_h: float = 6.0  # hours; told later than this after its start an event is raised with a note: the catch
    # is on the market by then. Source: DOMAIN (river to market in under 6 hours)
    # clocks; seconds each level has to sign. Source: the issue (15 min, 30 min, 2 h, 1 day)
    alerts_sign_red_s: float = 900.0
    alerts_sign_orange_s: float = 1800.0
    alerts_sign_yellow_s: float = 7200.0
    alerts_sign_blue_s: float = 86_400.0
    # seconds from signing until the outcome must be reported: orders to the scene take 10-30 min and a stake-out 7-9 h
    # (DOMAIN), so red is told within half a shift, orange by the end of one, the rest with the day's or week's report
    alerts_report_red_s: float = 14_400.0
    alerts_report_orange_s: float = 43_200.0
    alerts_report_yellow_s: float = 172_800.0
    alerts_report_blue_s: float = 604_800.0
    # probability of a verified case
    alerts_prior_share: float = 1 / 26  # cases a warning, before any is closed. Source: DOMAIN (26 warnings per case)
    alerts_prior_weight: float = 4.0  # warnings that is worth: a claim about another platform, so few
    alerts_place_power: float = 0.5  # the reach enters as rr^power: events are commoner where cases are, so part of rr
    # is in the event already
    alerts_place_most: float = 4.0  # factor of odds that a place gives or takes at most
    alerts_kind_odds: float = 2.0  # factor of odds for each further kind of event in the same situation
    alerts_calibrate_from: int = 30  # closed warnings from which probabilities are calibrated on them
    alerts_calibrate_shift_sd: float = 1.0  # log odds; before data: no shift, 95 % within 7-fold either way ...
    alerts_calibrate_slope_sd: float = 0.5  # ... and slope 1, 95 % within 0-2
    # harm of a case, in units of an ordinary case of gear in the channel
    alerts_harm_zone: float = 1.5  # reserves and closed waters: spawning stock is what the ban is for
    alerts_harm_gear: float = 1.0
    alerts_harm_trade: float = 2.0  # a broken catch-carry-sell chain ends many outings
    alerts_harm_reemergence: float = 1.5  # a place already paid for is lost again
    alerts_harm_coverage: float = 0.3  # nobody was seen fishing, only nobody looking; graded apart, see below
    alerts_harm_border: float = 1.0  # the offence weighs as it does elsewhere
    alerts_harm_tip: float = 0.7  # the conduct is not known
    # probability x harm from which a warning is ... (below: blue). At the prior a zone entry or a meeting is yellow, gear
    # blue; in a hot reach they are orange and yellow; red takes a rule that has proved itself, or several signs together
    alerts_red: float = 0.35
    alerts_orange: float = 0.15
    alerts_yellow: float = 0.05
    alerts_coverage_grade: str = "orange"  # at least, of class coverage: no case comes of a patrol that is overdue, so
    # numbers cannot grade it, and its crew may need help within the half hour
    alerts_quiet_days: float = 30.0  # days a quiet period lasts at most; longer works are renewed
    # rules
    alerts_cap_day: float = 5.0  # warnings a day above which a second person must approve a rule: one every 5 h
    alerts_everything: float = 0.5  # share of boat days a rule may speak of; from there on it describes traffic
    alerts_everything_least: int = 10  # boat days from which on that is asked: one boat on one day is no traffic
    alerts_expires_days: int = 90  # days a rule holds that names no end: a season ...
    alerts_expires_most: int = 365  # ... and at most: each is looked at once a year
    alerts_caught_m: float = 5000.0  # metres by water; a case this near ... (a boat is there within 15 min at 6 m/s)
    alerts_caught_h: float = 6.0  # hours; ... and this soon after a warning would have been caught. Source: DOMAIN
    alerts_fall_days: float = 90.0  # days; the yield of a rule's last days against the time before ...
    alerts_fall_p: float = 0.95  # ... fell from this probability

    def weight(self, platform: str) -> float:
        """Boat hours that one hour of `platform` counts for."""
        return float(getattr(self, f"weight_{platform}"))


DEFAULTS = Settings()


def load(path: Path | None = None) -> Settings:
    """The settings of a workspace: the defaults, overridden by `path` (TOML) where it exists.

    Raises `Refused`: `settings_unknown` for a name that is no setting, `settings_unreadable`.
    """
    try:
        found = None if path is None else path.stat()
    except (FileNotFoundError, NotADirectoryError):
        found = None
    return DEFAULTS if path is None or found is None else _read(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=16)  # asked for with every look at a workspace
def _read(path: Path, written: int, size: int) -> Settings:
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # no TOML, or no UTF-8
        raise Refused("settings_unreadable", file=str(path), reason=str(error)) from error
    unknown = sorted(set(given) - {field.name for field in fields(Settings)})
    if unknown:
        raise Refused("settings_unknown", names=unknown)
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in given.items()
    }  # bands are written as lists
    return replace(DEFAULTS, **values)
