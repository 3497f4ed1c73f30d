"""Union-find over sortable keys: the smallest key of a group stands for it, whatever the order of joining."""

from collections.abc import Iterable
from typing import Any, Generic, Protocol, TypeVar


class Sortable(Protocol):
    """Anything that can be ordered."""

    def __lt__(self, other: Any, /) -> bool:
        """Order."""
        ...


Key = TypeVar("Key", bound=Sortable)


class Groups(Generic[Key]):
    """Disjoint groups of keys."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._above: dict[Key, Key] = {key: key for key in keys}

    def find(self, key: Key) -> Key:
        """Return the key that stands for the group of ``key``."""
        above = self._above
        root = key
        while above[root] is not root:
            root = above[root]
        while above[key] is not root:
            above[key], key = root, above[key]
        return root

    def join(self, a: Key, b: Key) -> None:
        """Make one group of the groups of ``a`` and ``b``."""
        first, second = self.find(a), self.find(b)
        if first is second:
            return
        if second < first:
            first, second = second, first
        self._above[second] = first

    def join_all(self, keys: Iterable[Key]) -> None:
        """Make one group of all of them."""
        first: Key | None = None
        for key in keys:
            if first is None:
                first = key
            else:
                self.join(first, key)

    def members(self) -> list[list[Key]]:
        """Return the groups, each sorted, sorted by their first member."""
        found: dict[Key, list[Key]] = {}
        for key in self._above:
            found.setdefault(self.find(key), []).append(key)
        return [sorted(found[root]) for root in sorted(found)]
