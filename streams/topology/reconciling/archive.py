"""The rows of patients whom nothing happens to just now, packed: an eighth of the memory, and all of them at hand.

What is packed is a copy of what the state topic holds; losing it costs a restart.
"""

import zlib
from typing import Final

import msgspec

LOOSE_ROWS: Final = 16
"""So many rows of a patient may lie beside the packed ones before they are packed together."""

LEVEL: Final = 1
"""Of zlib: the rows of one patient are so alike that a higher one gains little for twice the time."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(dict[str, bytes]).decode


class Archive:
    """Rows by patient and name."""

    def __init__(self) -> None:
        self._packed: dict[str, bytes] = {}
        self._loose: dict[str, dict[str, bytes]] = {}

    def put(self, patient: str, name: str, row: bytes) -> None:
        """Keep a row, in place of an earlier one of that name."""
        self._loose.setdefault(patient, {})[name] = row

    def rows(self, patient: str) -> dict[str, bytes]:
        """Return all rows of a patient by name; none of one who is not known."""
        packed = self._packed.get(patient)
        rows = {} if packed is None else _decode(zlib.decompress(packed))
        return rows | self._loose.get(patient, {})

    def pack(self, patient: str) -> None:
        """Nothing is expected to happen to the patient now: pack what is worth it."""
        if len(self._loose.get(patient, ())) >= LOOSE_ROWS:
            self._packed[patient] = zlib.compress(_encode(self.rows(patient)), LEVEL)
            del self._loose[patient]

    def pack_all(self) -> None:
        """Pack everybody."""
        for patient in list(self._loose):
            self.pack(patient)

    @property
    def bytes_held(self) -> int:
        """The bytes of all rows as they are kept, without what Python needs to find them."""
        loose = sum(len(row) for rows in self._loose.values() for row in rows.values())
        return sum(map(len, self._packed.values())) + loose
