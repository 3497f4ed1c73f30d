"""What the server holds: every version of every resource, in SQLite (in memory or in a file).

A write happens inside one transaction, which has a number. Anything can be read as it was after a given transaction;
that is how reads can be made stale on purpose.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

import msgspec

from connectors.nll_sandbox.outcomes import Answer
from connectors.nll_sandbox.resources import identifiers
from mappings.fhir.exact_json import JsonObject, read_json, write_json

LATEST: Final = 2**62
"""As of no particular transaction: everything that has been stored."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS txn (seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS version (
  kind TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, txn INTEGER NOT NULL, patient TEXT,
  owner TEXT NOT NULL, at TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (kind, id, version));
CREATE INDEX IF NOT EXISTS version_of_id ON version (id);
CREATE INDEX IF NOT EXISTS version_of_patient ON version (patient, kind, id, version);
CREATE TABLE IF NOT EXISTS identifier (
  kind TEXT NOT NULL, token TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (kind, token, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS list_version (
  patient TEXT NOT NULL, version INTEGER NOT NULL, txn INTEGER NOT NULL, PRIMARY KEY (patient, version)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answer (
  request_id TEXT PRIMARY KEY, fingerprint BLOB NOT NULL, status INTEGER NOT NULL, headers BLOB NOT NULL, body BLOB);
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""
_TABLES: Final = ("txn", "version", "identifier", "list_version", "answer", "counter")
_COLUMNS: Final = "kind, id, version, txn, patient, owner, at, body"


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """One version of one resource; ``owner`` is the caregiver that registered its first version."""

    kind: str
    id: str
    version: int
    txn: int
    patient: str | None
    owner: str
    at: str
    body: bytes

    @property
    def resource(self) -> JsonObject:
        """A copy of the resource as JSON."""
        found = read_json(self.body)
        assert isinstance(found, dict)  # noqa: S101 - only objects are stored
        return found


class GivenAnswer(msgspec.Struct, frozen=True):
    """An answer that was given, and the fingerprint of the request it was given to."""

    fingerprint: bytes
    answer: Answer


class Store:
    """All versions of all resources, list versions, identifiers and given answers."""

    def __init__(self, path: str) -> None:
        self.connection: Final = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = NORMAL")
        self.connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Let go of the database."""
        self.connection.close()

    def clear(self) -> None:
        """Forget everything, counters included: afterwards the same writes give the same ids again."""
        with self.transaction(None):
            for table in _TABLES:
                self.connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names from the constant above
            self.connection.execute("DELETE FROM sqlite_sequence")

    @contextmanager
    def transaction(self, at: datetime | None) -> Iterator["Transaction"]:
        """All or nothing: stored when the block ends, undone when it raises or calls ``undo``."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            seq = 0
            if at is not None:
                cursor = self.connection.execute("INSERT INTO txn (at) VALUES (?)", (at.isoformat(),))
                seq = cursor.lastrowid or 0
            transaction = Transaction(seq, at.isoformat() if at is not None else "")
            yield transaction
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("ROLLBACK" if transaction.undone else "COMMIT")

    def next_id(self, prefix: str) -> str:
        """An id ``prefix-n`` that nothing has, seeded resources included; call inside a transaction."""
        while True:
            row = self.connection.execute(
                "INSERT INTO counter VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
                (prefix,),
            ).fetchone()
            name = f"{prefix}-{row[0]}"
            if self.connection.execute("SELECT 1 FROM version WHERE id = ? LIMIT 1", (name,)).fetchone() is None:
                return name

    def is_seeded(self) -> bool:
        """Whether anything has ever been stored: then a file from an earlier run goes on as it was."""
        return self.connection.execute("SELECT 1 FROM version LIMIT 1").fetchone() is not None

    def put(self, stored: Stored) -> None:
        """Store one version; call inside a transaction."""
        self.connection.execute(
            f"INSERT INTO version ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - a constant
            (stored.kind, stored.id, stored.version, stored.txn, stored.patient, stored.owner, stored.at, stored.body),
        )
        self.connection.executemany(
            "INSERT OR IGNORE INTO identifier VALUES (?, ?, ?)",
            [(stored.kind, f"{system}|{value}", stored.id) for system, value in identifiers(stored.resource)],
        )

    def read(self, kind: str, name: str, as_of: int = LATEST) -> Stored | None:
        """The version that held after transaction ``as_of``."""
        return self._one("kind = ? AND id = ? AND txn <= ? ORDER BY version DESC", (kind, name, as_of))

    def vread(self, kind: str, name: str, version: int) -> Stored | None:
        """One version."""
        return self._one("kind = ? AND id = ? AND version = ?", (kind, name, version))

    def history(self, kind: str, name: str) -> list[Stored]:
        """All versions, newest first."""
        return self._many("kind = ? AND id = ? ORDER BY version DESC", (kind, name))

    def of_patient(self, kind: str, patient: str, as_of: int = LATEST) -> list[Stored]:
        """The resources of one kind of one patient, in the order they were created."""
        return self._many(
            "patient = ? AND kind = ? AND txn <= ? AND version = (SELECT max(version) FROM version AS w"
            " WHERE w.kind = version.kind AND w.id = version.id AND w.txn <= ?)"
            " ORDER BY (SELECT rowid FROM version AS f WHERE f.kind = version.kind AND f.id = version.id AND f.version = 1)",
            (patient, kind, as_of, as_of),
        )

    def all_of(self, kind: str, as_of: int = LATEST) -> list[Stored]:
        """Every resource of one kind."""
        return self._many(
            "kind = ? AND txn <= ? AND version = (SELECT max(version) FROM version AS w"
            " WHERE w.kind = version.kind AND w.id = version.id AND w.txn <= ?) ORDER BY rowid",
            (kind, as_of, as_of),
        )

    def versions(self, kind: str) -> list[Stored]:
        """Every version of every resource of one kind, in the order in which they were stored."""
        return self._many("kind = ? ORDER BY rowid", (kind,))

    def by_identifier(self, kind: str, token: str, as_of: int = LATEST) -> list[Stored]:
        """The resources of one kind that have, or had, the identifier ``system|value``."""
        rows = self.connection.execute(
            "SELECT id FROM identifier WHERE kind = ? AND token = ? ORDER BY id", (kind, token)
        ).fetchall()
        return [found for (name,) in rows if (found := self.read(kind, name, as_of)) is not None]

    def list_version(self, patient: str, as_of: int = LATEST) -> int:
        """The patient's list version after transaction ``as_of``; 0 before the first write."""
        row = self.connection.execute(
            "SELECT max(version) FROM list_version WHERE patient = ? AND txn <= ?", (patient, as_of)
        ).fetchone()
        return int(row[0] or 0)

    def raise_list_version(self, patient: str, txn: int) -> int:
        """Count the patient's list one up; call inside a transaction."""
        raised = self.list_version(patient) + 1
        self.connection.execute("INSERT INTO list_version VALUES (?, ?, ?)", (patient, raised, txn))
        return raised

    def before_last_write(self, patient: str) -> int:
        """The transaction before the last one that changed the patient's list: the view of a stale read."""
        row = self.connection.execute("SELECT max(txn) FROM list_version WHERE patient = ?", (patient,)).fetchone()
        return LATEST if row[0] is None else int(row[0]) - 1

    def given_answer(self, request_id: str) -> "GivenAnswer | None":
        """The answer that was given to a write with this request id."""
        row = self.connection.execute(
            "SELECT fingerprint, status, headers, body FROM answer WHERE request_id = ?", (request_id,)
        ).fetchone()
        if row is None:
            return None
        body = None if row[3] is None else read_json(row[3])
        return GivenAnswer(row[0], Answer(row[1], body, read_json(row[2])))

    def remember_answer(self, request_id: str, fingerprint: bytes, answer: Answer) -> None:
        """Keep the answer to a write, to give it again."""
        body = None if answer.body is None else write_json(answer.body)
        row = (request_id, fingerprint, answer.status, write_json(dict(answer.headers)), body)
        self.connection.execute("INSERT INTO answer VALUES (?, ?, ?, ?, ?)", row)

    def _one(self, condition: str, values: tuple[object, ...]) -> Stored | None:
        return next(iter(self._many(f"{condition} LIMIT 1", values)), None)

    def _many(self, condition: str, values: tuple[object, ...]) -> list[Stored]:
        rows = self.connection.execute(f"SELECT {_COLUMNS} FROM version WHERE {condition}", values)  # noqa: S608 - constants
        names = _COLUMNS.split(", ")
        return [Stored(**dict(zip(names, row, strict=True))) for row in rows]


class Transaction:
    """One write in progress."""

    def __init__(self, seq: int, at: str) -> None:
        self.seq: Final = seq
        self.at: Final = at
        self.undone = False

    def undo(self) -> None:
        """Leave no trace when the block ends."""
        self.undone = True


def encode(resource: JsonObject) -> bytes:
    """A resource as it is stored."""
    return write_json(resource)
