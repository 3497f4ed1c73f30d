"""The log of every access: who, what, for which purpose, with what result. NLL shows it to the patient."""

import sqlite3
from collections.abc import Mapping
from typing import Final

import msgspec

from mappings.fhir.exact_json import JsonObject, read_json, write_json

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS audit (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, patient TEXT, interaction TEXT NOT NULL, status INTEGER NOT NULL,
  entry BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS audit_of_patient ON audit (patient);
"""


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One access.

    ``stored``: versions the client's steps stored; ``unchanged``: those of them that said the same about the treatment
    as the version before; ``replayed``: the answer of an earlier request was given again; ``fault``: a fault refused
    the request or kept the answer from the client.
    """

    at: str
    interaction: str
    status: int
    kind: str = ""
    name: str = ""
    patient: str | None = None
    role: str = ""
    caregiver: str = ""
    subject: str = ""
    purpose: str = ""
    access: str = ""
    request_id: str = ""
    context_id: str = ""
    activity: str = ""
    codes: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    stored: int = 0
    unchanged: int = 0
    hidden: int = 0
    replayed: bool = False
    fault: str = ""


class AuditLog:
    """Every access since the last reset, in order."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.executescript(_SCHEMA)

    def clear(self) -> None:
        """Forget every access."""
        self._connection.execute("DELETE FROM audit")

    def add(self, entry: Entry) -> None:
        """Note one access."""
        self._connection.execute(
            "INSERT INTO audit (patient, interaction, status, entry) VALUES (?, ?, ?, ?)",
            (entry.patient, entry.interaction, entry.status, write_json(entry)),
        )

    def entries(self, wanted: Mapping[str, str]) -> list[JsonObject]:
        """The accesses, oldest first; ``wanted`` may name patient, interaction, status, limit (of the last ones)."""
        conditions = [name for name in ("patient", "interaction", "status") if name in wanted]
        where = " AND ".join(f"{name} = ?" for name in conditions) or "1"
        values = [wanted[name] for name in conditions] + [wanted.get("limit", "1000")]
        found = self._connection.execute(
            f"SELECT seq, entry FROM audit WHERE {where} ORDER BY seq DESC LIMIT ?",  # noqa: S608 - names from above
            values,
        ).fetchall()
        return [{"seq": seq, **read_json(entry)} for seq, entry in reversed(found)]

    def summary(self) -> JsonObject:
        """Counts over all accesses: requests by interaction and status, versions stored, versions that changed nothing."""
        by: dict[str, dict[str, int]] = {}
        for interaction, status, count in self._connection.execute(
            "SELECT interaction, status, count(*) FROM audit GROUP BY 1, 2 ORDER BY 1, 2"
        ):
            by.setdefault(interaction, {})[str(status)] = count
        totals = self._connection.execute(
            "SELECT count(*), sum(json_extract(entry, '$.stored')), sum(json_extract(entry, '$.unchanged')),"
            " sum(json_extract(entry, '$.stored') > 0), sum(json_extract(entry, '$.replayed')) FROM audit"
        ).fetchone()
        names = ("requests", "versions_stored", "versions_without_clinical_change", "writes", "replays")
        return {**{name: total or 0 for name, total in zip(names, totals, strict=True)}, "by_interaction": by}
