#!/bin/sh
# Builds the demonstration on the real Yangtze (patrols and reports are simulated), analyses it and opens the map.
# Usage: ./demo.sh [options of `geo-monitor app`, for example --no-browser --port 8600]
cd "$(dirname "$0")" || exit 1
lock=requirements.lock
. scripts/setup.sh
workspace=${GEO_MONITOR_WORKSPACE:-workspace}
if [ ! -e "$workspace" ]; then
    .venv/bin/geo-monitor --workspace "$workspace" demo
fi
exec .venv/bin/geo-monitor --workspace "$workspace" app "$@"
