"""Feeds the door of uploads with mangled files, guided by coverage (atheris), and says which exceptions got out.

    python checks/fuzz.py [--inputs 100000] [--seconds 600] [--only csv,gpx] [--found FOLDER]

One run a format, with that many inputs or seconds at most, from the seeds of tests/ingest/corpus. An input must give an
upload whose rows add up, or an error that is told to people (`tests.ingest.fuzzed.holds`). What does not is printed once
a place in the code, kept in FOLDER (default: fuzz-found), and counted; exit code 1 if there was any. Needs Linux.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
HANG_S = 20  # seconds one input may take


def packed(number: int, parts: list[tuple[str, bytes]]) -> bytes:
    """A seed as the bytes that are mangled: its number, then each part with its length in front (one part: bare)."""
    if len(parts) == 1:
        return bytes([number]) + parts[0][1]
    return bytes([number]) + b"".join(len(content).to_bytes(3, "big") + content for _, content in parts)


def unpacked(data: bytes, names: list[str]) -> list[tuple[str, bytes]]:
    """The parts in mangled bytes, as far as they go."""
    if len(names) == 1:
        return [(names[0], data)]
    parts = []
    for name in names:
        size = int.from_bytes(data[:3], "big")
        parts.append((name, data[3 : 3 + size]))
        data = data[3 + size :]
    return parts


def fuzz_one_format(ending: str, found: Path, options: list[str]) -> None:
    """Runs in a process of its own, which libFuzzer ends."""
    import atheris

    with atheris.instrument_imports(include=["geo_monitor.ingest"], enable_loader_override=False):
        from geo_monitor.ingest import door  # noqa: F401
        from tests.ingest import fuzzed

        for reader in ("ais", "columnar", "database", "dbf", "delimited", "geojson", "nmea", "raster", "shapefile",
                       "workbook", "xml"):  # fmt: skip
            __import__(f"geo_monitor.ingest.readers.{reader}")
        for kind in ("jurisdictions", "patrols", "raster", "river", "seizures", "tracks", "units", "zones"):
            __import__(f"geo_monitor.ingest.kinds.{kind}")
    warnings.simplefilter("ignore")
    seeds = [seed for seed in fuzzed.seeds() if seed.suffix == ending]
    memory = Path("/dev/shm")  # noqa: S108  faster than a disk
    base = Path(tempfile.mkdtemp(prefix="fuzz-", dir=memory if memory.is_dir() else None))
    corpus = base / "corpus"
    corpus.mkdir()
    names = []
    for number, seed in enumerate(seeds):
        parts = fuzzed.pieces(seed)
        names.append([name for name, _ in parts])
        (corpus / seed.name).write_bytes(packed(number, parts))
    seen: set[tuple[str, str, int]] = set()

    def one(data: bytes) -> None:
        if not data:
            return
        number = data[0] % len(seeds)
        path = fuzzed.put_together(seeds[number], unpacked(data[1:], names[number]), base / "upload")
        try:
            fuzzed.holds(fuzzed.kind_of(seeds[number]), path)
        except Exception as error:  # noqa: BLE001  the run goes on, with every place told once
            frames = traceback.extract_tb(error.__traceback__)
            own = next((f for f in reversed(frames) if "geo_monitor" in f.filename), frames[-1])
            key = (type(error).__name__, Path(own.filename).name, own.lineno or 0)
            if key not in seen:
                seen.add(key)
                found.mkdir(parents=True, exist_ok=True)
                target = found / f"{seeds[number].name}-{hashlib.sha256(data).hexdigest()[:8]}"
                target.write_bytes(data)
                print(f"ESCAPED {key[0]} at {key[1]}:{key[2]}: {str(error)[:100]!r} ({target})", flush=True)

    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={found}/{ending[1:]}-", str(corpus)], one)
    atheris.Fuzz()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--inputs", type=int, default=100_000, help="inputs a format at most")
    parser.add_argument("--seconds", type=int, default=600, help="seconds a format at most")
    parser.add_argument("--only", default="", help="endings, with commas")
    parser.add_argument("--found", type=Path, default=Path("fuzz-found"))
    parser.add_argument("--format", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    options = [f"-runs={asked.inputs}", f"-max_total_time={asked.seconds}", f"-timeout={HANG_S}", "-rss_limit_mb=2048",
               "-max_len=20000", "-print_final_stats=1"]  # fmt: skip
    if asked.format:
        fuzz_one_format(asked.format, asked.found, options)
        return 0
    from tests.ingest import fuzzed

    endings = sorted({seed.suffix for seed in fuzzed.seeds()})
    total = escaped = ended = 0
    for ending in [e for e in endings if not asked.only or e[1:] in asked.only.split(",")]:
        command = [sys.executable, __file__, "--format", ending, "--inputs", str(asked.inputs), "--seconds",
                   str(asked.seconds), "--found", str(asked.found.absolute())]  # fmt: skip
        asked.found.mkdir(parents=True, exist_ok=True)
        run = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        places = [line for line in run.stdout.splitlines() if line.startswith("ESCAPED")]
        counts = re.findall(r"(?:stat::number_of_executed_units:\s+|#)(\d+)", run.stderr)
        number = max((int(count) for count in counts), default=0)
        if run.returncode:  # the process itself fell: a crash in a library, a hang, or no memory left
            ended += 1
            places.append(f"ENDED {ending} with {run.returncode}: {run.stderr[-1500:]}")
        print(f"{ending}: {number:,} inputs, {len(places)} escaped", *places, sep="\n  ", flush=True)
        total, escaped = total + number, escaped + len(places)
    print(f"{total:,} inputs, {escaped} escaped ({ended} of them ended the process)")
    return 1 if escaped else 0


if __name__ == "__main__":
    raise SystemExit(main())
