"""Who may do what, and whose rows somebody sees. The store asks here; pages and commands never decide.

A role gives rights (`ROLES`). Which rows of agencies a viewer sees follows from places: a row belongs to the agency
that sent it, an agency answers for an adcode, and a viewer sees the rows of its own agency, of every agency inside its
own adcodes, and what another agency shares with its agency (then without the fields that the share hides).
Results of an analysis lie on reaches: a viewer sees those with a bank in its adcodes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache

from geo_monitor.errors import Denied

BORDERS = "jurisdictions"  # the kind of upload that decides on which water results lie, and so who sees them
EVERYWHERE = "100000"  # the adcode of the whole country
ROLES: dict[str, frozenset[str]] = {
    "commander": frozenset({"read", "analyse", "withdraw", "persons", "command", "rules"}),
    "analyst": frozenset({"read", "analyse", "withdraw", "import", "rules"}),
    "uploader": frozenset({"own", "withdraw", "import"}),
    "auditor": frozenset({"books", "audit"}),
    "admin": frozenset({"accounts", "audit", "keep"}),
}
RIGHTS = frozenset().union(*ROLES.values())


@dataclass(frozen=True)
class Viewer:
    """Somebody signed in: account, agency, roles, the adcodes they answer for (none: only their own agency's rows)."""

    account: str
    agency: str | None
    roles: tuple[str, ...]
    adcodes: tuple[str, ...]

    @property
    def rights(self) -> frozenset[str]:
        return frozenset().union(*(ROLES[role] for role in self.roles))

    @property
    def everywhere(self) -> bool:
        """Whether nothing is out of this viewer's area."""
        return "read" in self.rights and self.of_all

    @property
    def of_all(self) -> bool:
        """Whether the whole country is this viewer's area, whatever of it may be read."""
        return any(prefix(adcode) == "" for adcode in self.adcodes)

    def needs(self, *rights: str) -> None:
        """Raises `Denied("not_allowed")` unless the viewer has one of these rights."""
        if not self.rights & set(rights):
            raise Denied("not_allowed", account=self.account, roles=[*self.roles], right=" / ".join(rights))


OWNER = Viewer("local", None, tuple(ROLES), (EVERYWHERE,))  # of a workspace without accounts: whoever opens it


@lru_cache(4096)  # asked for every agency at every read
def prefix(adcode: str) -> str:
    """What all adcodes inside an area begin with: codes end in 00 for each level they stand above.

    >>> prefix("100000"), prefix("420000"), prefix("421000"), prefix("421022")
    ('', '42', '4210', '421022')
    """
    if adcode == EVERYWHERE:
        return ""
    plain = adcode
    while len(plain) > 2 and plain.endswith("00"):
        plain = plain[:-2]
    return plain


def inside(adcode: str | None, areas: Iterable[str]) -> bool:
    """Whether an adcode lies in one of the areas.

    >>> inside("421022", ["421000"]), inside("421000", ["421022"]), inside(None, ["100000"])
    (True, False, False)
    """
    return bool(adcode) and any(str(adcode).startswith(prefix(area)) for area in areas)


def readable(viewer: Viewer, agencies: Iterable[tuple[str, str | None]]) -> Collection[str] | None:
    """The agencies whose rows the viewer sees in full; None: all, those of nobody included.

    agencies: (name, adcode) of every registered agency.
    """
    if viewer.everywhere:
        return None
    seen = {viewer.agency} if viewer.agency else set()
    if "read" in viewer.rights:
        seen |= {name for name, adcode in agencies if inside(adcode, viewer.adcodes)}
    return seen
