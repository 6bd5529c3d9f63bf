#!/bin/sh
# Renews requirements.lock and requirements-dev.lock from pyproject.toml (needs uv).
set -eu
cd "$(dirname "$0")/.."
compile() {
    uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
        pyproject.toml --extra build "$@"
}
compile -o requirements.lock
compile --extra dev -o requirements-dev.lock
