"""Where tables live: one folder a workspace, safe against a power cut at any moment.

| part | what | rule |
|---|---|---|
| `geo_monitor.sqlite` | records people edit, receipts, runs | SQLite in WAL mode; its commit makes an import true |
| `positions/day=…/<receipt_id>.parquet` | fixes, GeoParquet, a file a receipt and Shanghai day | see below |
| `positions/day=…/compact-<hash>.parquet` | the same of many receipts, in place of their files | tells what it holds |
| `raw/<sha256>` | every upload byte for byte | named by its own hash |
| `quarantine/<receipt_id>.csv` | refused rows, ready to correct | UTF-8 with BOM |
| `runs/<run_id>/<table>.parquet` | result tables of one analysis | a folder appears whole, then its row |

A file without a committed receipt or run is nothing: no reader sees it, and it is swept at the next start.

| file | does |
|---|---|
| `files.py` | writing so that a reader sees all or nothing; hashes; the lock between processes |
| `schema.py` | SQL tables out of `geo_monitor.tables`, frames in and out of them |
| `positions.py`, `compact.py`, `expire.py` | the Parquet side of fixes; the small files of a day made into one; old days let go |
| `database.py` | where the records live, the writer's lock, what is in force when |
| `migrations/` | the steps by which an older workspace becomes one of today |
| `policies.py`, `shapes.py` | what a server itself refuses; shapes as PostGIS |
| `versions.py` | which version of a zone holds when |
| `embedded.py` | `Store`: commit, withdraw, as-of reading, runs |
| `held.py` | what a reader of uploads asks of it |
| `rights.py`, `accounts.py` | roles and areas; who signs in, what agencies share |
| `seen.py` | the store as one viewer may read it: every reader but the analysis goes through it |
| `audit.py`, `persons.py` | the book that only grows; names of people, sealed |
"""

from __future__ import annotations

from geo_monitor.store.embedded import Store

__all__ = ["Store"]
