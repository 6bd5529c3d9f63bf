#!/bin/sh
# Proves that a place without internet can install and run geo_monitor: makes the bundle, copies it to an empty folder, cuts the
# network (a network namespace that holds only loopback), installs, builds and analyses the demonstration, exports it, opens the map.
set -eu
cd "$(dirname "$0")/.."
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
scripts/bundle.sh "$place/bundle"
inside="$place/inside.sh"
cat > "$inside" <<'INNER'
set -eu
ip link set lo up
cd "$1"
if "${PYTHON:-python3}" -c 'import socket; socket.create_connection(("1.1.1.1", 53), 2)' 2>/dev/null; then
    echo "the network is not cut" >&2
    exit 1
fi
./start.sh --workspace workspace --json demo > demo.json
./start.sh --workspace workspace --json warnings list --all > warnings.json
./start.sh --workspace workspace export hotspots -o hotspots.csv
./start.sh --workspace workspace export reaches -o reaches.gpkg
cd /
"$1/start.sh" --workspace "$1/workspace" app --no-browser --port 8611 > "$1/app.log" 2>&1 &
app=$!
for _ in $(seq 60); do
    sleep 1
    if "$1/program/bin/python" -c 'import urllib.request as u; assert u.urlopen("http://127.0.0.1:8611/_stcore/health").read() == b"ok"' 2>/dev/null; then
        kill $app
        echo "offline: installed, analysed, exported and served with the network cut"
        exit 0
    fi
done
cat "$1/app.log" >&2
exit 1
INNER
if [ "$(id -u)" -eq 0 ]; then
    unshare -n sh "$inside" "$place/bundle"
else
    unshare -r -n sh "$inside" "$place/bundle"
fi
"$place/bundle/program/bin/python" checks/demo_result.py "$place/bundle"
