"""The rows of patients whom nothing happens to just now, packed: a fraction of the memory, and all of them at hand.

What is packed is a copy of what the state topic holds; losing it costs a restart. While the topic is read back, rows are packed
as they come, a portion of a patient's at a time, so that a start needs hardly more memory than what it leaves behind.
"""

import zlib
from collections.abc import Collection, Iterator, Mapping
from typing import Final

import msgspec

from streams.topology.rows import Rows

LOOSE_ROWS: Final = 16
"""So many rows of a patient may lie beside the packed ones before they are packed together."""

PORTION_ROWS: Final = 16
"""So many rows of a patient are packed together while rows are read back. With 8 a start needs half the memory where patients have
few rows, and packing takes a quarter longer."""

LEVEL: Final = 1
"""Of zlib: the rows of one patient are so alike that a higher one gains little for twice the time."""

MARK: Final = "m"
"""The name of the row that tells of a patient's last list; whoever takes rows over wants all of these at once."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(dict[str, bytes | None]).decode


class Archive:
    """Rows by patient and name."""

    def __init__(self) -> None:
        self._packed: dict[str, list[bytes]] = {}
        """Portions, oldest first: of a name that stands in several, the last counts."""
        self._loose: dict[str, dict[str, bytes | None]] = {}

    def put(self, patient: str, name: str, row: bytes | None) -> None:
        """Keep a row, in place of an earlier one of that name; `None` deletes that."""
        loose = self._loose.get(patient)
        if loose is None:
            loose = self._loose[patient] = {}
        loose[name] = row

    def fill(self, patient: str, name: str, row: bytes | None) -> None:
        """As `put`, for one of very many rows: packs each portion as soon as it is worth it, apart from earlier ones."""
        self.put(patient, name, row)
        if len(self._loose[patient]) >= PORTION_ROWS:
            self._pack_portion(patient)

    def filled(self) -> None:
        """No more rows come by `fill`: pack what is left beside packed portions."""
        for patient in self._packed.keys() & self._loose.keys():
            self._pack_portion(patient)

    def _pack_portion(self, patient: str) -> None:
        self._packed.setdefault(patient, []).append(_pack(self._loose.pop(patient)))

    def patients(self) -> Collection[str]:
        """Return everybody of whom a row was ever kept."""
        return self._packed.keys() | self._loose.keys()

    def rows(self, patient: str) -> dict[str, bytes]:
        """Return all rows of a patient by name; none of one who is not known."""
        found: dict[str, bytes | None] = {}
        for portion in self._packed.get(patient, ()):
            found |= _decode(zlib.decompress(portion))
        found |= self._loose.get(patient, {})
        return {name: row for name, row in found.items() if row is not None}

    def pack(self, patient: str) -> None:
        """Nothing is expected to happen to the patient now: pack what is worth it, everything together."""
        if len(self._loose.get(patient, ())) >= LOOSE_ROWS:
            self._packed[patient] = [_pack(self.rows(patient))]
            del self._loose[patient]

    @property
    def bytes_held(self) -> int:
        """The bytes of all rows as they are kept, without what Python needs to find them."""
        loose = sum(len(row or b"") for rows in self._loose.values() for row in rows.values())
        return sum(len(portion) for portions in self._packed.values() for portion in portions) + loose


class StoredRows(Rows):
    """A partition's rows, kept in `archive` while they are read back; what is no row of facts (clock, marks) in `rest`."""

    def __init__(self) -> None:
        self.archive = Archive()
        self.rest: dict[bytes, bytes] = {}
        self._count = 0
        self._size = 0

    @classmethod
    def of(cls, rows: Mapping[bytes, bytes]) -> "StoredRows":
        """Return rows that are there already."""
        stored = cls()
        for key, row in rows.items():
            stored.put(key, row)
        return stored

    def put(self, key: bytes, row: bytes | None) -> None:
        """Take in the row that was written next."""
        patient, name = _place(key)
        if row is not None:
            self._count += 1
            self._size += len(key) + len(row)
        if name and name != MARK:
            self.archive.fill(patient, name, row)
        elif row is None:
            self.rest.pop(key, None)
        else:
            self.rest[key] = row

    @property
    def count(self) -> int:
        """How many rows were read, one that was written again as often."""
        return self._count

    @property
    def size(self) -> int:
        """Bytes of keys and values of those rows."""
        return self._size

    def __getitem__(self, key: bytes) -> bytes:
        patient, name = _place(key)
        if name and name != MARK:
            return self.archive.rows(patient)[name]
        return self.rest[key]

    def __iter__(self) -> Iterator[bytes]:
        yield from self.rest
        for patient in self.archive.patients():
            for name in self.archive.rows(patient):
                yield f"{patient}|{name}".encode()

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _place(key: bytes) -> tuple[str, str]:
    """Patient and name that a key of the state topic is made of; a row of no patient has no name."""
    patient, _, name = key.decode().partition("|")
    return patient, name


def _pack(rows: Mapping[str, bytes | None]) -> bytes:
    return zlib.compress(_encode(rows), LEVEL)
