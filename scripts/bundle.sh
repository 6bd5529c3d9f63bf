#!/bin/sh
# Makes a folder from which geo_monitor installs and runs without any network: wheels, data, fonts, a start file.
# Usage: scripts/bundle.sh [FOLDER]   (default: offline). The wheels fit the Python and the system this runs on.
cd "$(dirname "$0")/.." || exit 1
lock=requirements.lock
. scripts/setup.sh
folder=${1:-offline}
rm -rf "$folder"
mkdir -p "$folder/wheels" "$folder/fonts"
.venv/bin/python -m pip download -q --require-hashes --only-binary :all: -r "$lock" -d "$folder/wheels"
.venv/bin/python -m pip wheel -q --no-deps --no-build-isolation -w "$folder/wheels" .
cp -r data "$folder/data"
cp -r geo_monitor/app/static/fonts/. "$folder/fonts/"
cp scripts/bundle/start.sh scripts/bundle/说明.txt LICENSE "$folder/"
"${PYTHON:-python3}" -c 'import platform, sys; print(f"Python {sys.version_info[0]}.{sys.version_info[1]}, {platform.system()} {platform.machine()}")' > "$folder/适用环境.txt"
(cd "$folder" && find . -type f ! -name SHA256SUMS -print0 | sort -z | xargs -0 sha256sum > SHA256SUMS)
say "完成 / done: $folder ($(du -sh "$folder" | cut -f1)). 拷到目标机器后执行 / on the other machine run: ./start.sh"
