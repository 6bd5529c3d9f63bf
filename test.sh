#!/bin/sh
# Sets up what the tests need and runs them all: lint, types, unit, property, end to end, browser, and a place without
# internet. Usage: ./test.sh [pytest arguments: then only pytest runs, with them]
cd "$(dirname "$0")" || exit 1
lock=requirements-dev.lock
. scripts/setup.sh
install_debian chromium chromium-driver fonts-wqy-microhei iproute2 mosquitto util-linux postgresql postgresql-postgis openjdk-17-jre-headless
if [ $# -gt 0 ]; then
    exec .venv/bin/python -m pytest "$@"
fi
.venv/bin/ruff check .
.venv/bin/ruff format --check .
# types, and the compiled code that tests would each wait for, beside the place without internet: both keep one processor busy
(.venv/bin/mypy && .venv/bin/python -c 'from geo_monitor.engine import warm; warm.warm()') &
beside=$!
checks/offline.sh
wait "$beside"
# two files at a time: much of a test's time is waiting for a browser, a database or a broker
.venv/bin/python -m pytest -n 2 --dist loadfile
