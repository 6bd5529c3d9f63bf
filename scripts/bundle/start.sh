#!/bin/sh
# Installs geo_monitor from this folder (no network) and opens it. Everything it makes stays in this folder.
# Usage: ./start.sh                    the demonstration on the real Yangtze, then the map
#        ./start.sh COMMAND ...        any geo-monitor command, for example: ./start.sh --workspace w import zones z.zip
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-python3}
if [ ! -x program/bin/geo-monitor ]; then
    sha256sum --quiet -c SHA256SUMS || { echo "文件不完整，请重新拷贝 / files are damaged, copy the folder again" >&2; exit 1; }
    "$python" -m venv program
    program/bin/python -m pip install -q --no-index --find-links wheels geo-monitor
fi
if [ $# -gt 0 ]; then
    exec program/bin/geo-monitor "$@"
fi
[ -e workspace ] || program/bin/geo-monitor --workspace workspace demo
exec program/bin/geo-monitor --workspace workspace app
