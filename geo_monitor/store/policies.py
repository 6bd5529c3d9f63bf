"""What the database itself refuses, whoever asks: rows leave the audit book never, rows of others go to nobody.

Row-level security on PostgreSQL: every account has a database role of its own (no login until an administrator of the
server gives it one) that reads the rows its account sees in the program. The program's own login owns the tables and is
not bound by the policies. `may_read` follows `rights.readable`; a test holds the two together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import sqlalchemy as sql

LAW = ("zones", "levels", "jurisdictions", "river_lines", "rasters")  # every reader's
OURS = ("seizures", "units", "patrols", "persons", "receipts")  # by the agency that sent the row
APPEND_ONLY = {
    "sqlite": tuple(
        f"CREATE TRIGGER audit_no_{what.lower()} BEFORE {what} ON audit "
        "BEGIN SELECT RAISE(ABORT, 'audit is append only'); END"
        for what in ("UPDATE", "DELETE")
    ),
    "postgresql": (
        "CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'audit is append only'; END $$",
        "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()",
    ),
}
ROLE = """
CREATE FUNCTION account_role(account text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT 'gm_' || left(encode(sha256(convert_to(current_schema() || '|' || account, 'UTF8')), 'hex'), 16)
$$"""
# security definer: whoever asks may not read the accounts, the function may
MAY_READ = """
CREATE FUNCTION may_read(who text, of_agency text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path FROM CURRENT AS $$
    SELECT EXISTS (
        SELECT 1 FROM accounts a
        CROSS JOIN LATERAL (SELECT a.roles::jsonb ?| array['commander', 'analyst'] AS reads) r
        WHERE account_role(a.name) = who AND NOT a.disabled AND (
            (a.agency = of_agency AND (r.reads OR a.roles::jsonb ? 'uploader'))
            OR (r.reads AND EXISTS (
                SELECT 1 FROM jsonb_array_elements_text(a.adcodes::jsonb) area
                WHERE area = '100000' OR EXISTS (
                    SELECT 1 FROM agencies g
                    WHERE g.name = of_agency AND starts_with(g.adcode, left(area, 2) || regexp_replace(substr(area, 3), '(00)+$', ''))
                )
            ))
        )
    )
$$"""


def statements(dialect: str) -> Sequence[str]:
    """What a new database is told after its tables are there."""
    if dialect == "sqlite":
        return APPEND_ONLY[dialect]
    locked = [f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY" for name in OURS]
    rules = [
        f"CREATE POLICY by_agency ON {name} FOR SELECT USING (may_read(current_user::text, agency))" for name in OURS
    ]
    return (*APPEND_ONLY[dialect], ROLE, MAY_READ, *locked, *rules)


def role_of(schema: str, account: str) -> str:
    """The database role of an account.

    >>> role_of("geo_monitor", "王")
    'gm_b5aa43f02a3fb829'
    """
    return "gm_" + hashlib.sha256(f"{schema}|{account}".encode()).hexdigest()[:16]


def grant(connection: sql.Connection, schema: str, account: str) -> bool:
    """Makes the role of an account and lets it read; False where our own login may not make roles."""
    may = connection.scalar(sql.text("SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user"))
    if not may:
        return False
    quote = connection.dialect.identifier_preparer.quote
    role, space = quote(role_of(schema, account)), quote(schema)
    if (
        connection.scalar(sql.text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role_of(schema, account)})
        is None
    ):
        connection.exec_driver_sql(f"CREATE ROLE {role} NOLOGIN")
        connection.execute(sql.text(f"COMMENT ON ROLE {role} IS {_literal(f'geo_monitor {schema}: {account}')}"))
    connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {space} TO {role}")
    for name in (*LAW, *OURS):
        connection.exec_driver_sql(f"GRANT SELECT ON {space}.{quote(name)} TO {role}")
    return True


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''").replace(":", "\\:") + "'"
