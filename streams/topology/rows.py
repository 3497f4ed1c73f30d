"""The stored rows of a partition, while they are read back and until its core takes them over.

Rows come in the order in which they were written: each stands in place of the earlier one of its key, and null deletes it. A
core with many rows brings what holds them (`EngineSettings.rows`), and so never has all of them in memory unpacked.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping


class Rows(Mapping[bytes, bytes]):
    """Rows by key, as far as they were read."""

    @abstractmethod
    def put(self, key: bytes, row: bytes | None) -> None:
        """Take in the row that was written next; `None` deletes the one of that key."""

    @property
    @abstractmethod
    def count(self) -> int:
        """How many rows were taken in; where they are packed, one written again or deleted since still counts."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Bytes of keys and values of those rows."""


class PlainRows(Rows):
    """Rows as they are."""

    def __init__(self) -> None:
        self._rows: dict[bytes, bytes] = {}

    def put(self, key: bytes, row: bytes | None) -> None:
        """Take in the row that was written next."""
        if row is None:
            self._rows.pop(key, None)
        else:
            self._rows[key] = row

    @property
    def count(self) -> int:
        """How many rows."""
        return len(self._rows)

    @property
    def size(self) -> int:
        """Bytes of keys and values."""
        return sum(len(key) + len(row) for key, row in self._rows.items())

    def __getitem__(self, key: bytes) -> bytes:
        return self._rows[key]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)
