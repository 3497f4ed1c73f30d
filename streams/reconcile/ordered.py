"""Lists kept in order, to which most things come last."""

from bisect import insort
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def put(kept: list[T], new: T, order: Callable[[T], Any]) -> None:
    """Insert ``new`` where ``order`` wants it, behind its equals; at the end that costs one comparison."""
    if not kept or order(kept[-1]) <= order(new):
        kept.append(new)
    else:
        insort(kept, new, key=order)
