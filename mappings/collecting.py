"""Collecting problems: every reader names all that is wrong with a message, not the first thing only."""

from typing import TypeVar

from contracts.problems import Problem

T = TypeVar("T")


class Problems:
    """The problems found so far in one record; a reading function adds to it and goes on."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def __bool__(self) -> bool:
        """Tell whether anything is wrong."""
        return bool(self._found)

    @property
    def found(self) -> tuple[Problem, ...]:
        """The problems, each once, in the order in which they were found."""
        return tuple(dict.fromkeys(self._found))

    def add(self, code: str, place: str, text: str) -> None:
        """Note a problem. ``text`` says what to do, and never quotes what may be personal."""
        self._found.append(Problem(code=code, place=place, text=text))

    def take(self, others: "Problems") -> None:
        """Note the problems of a part as well."""
        self._found.extend(others.found)

    def keep(self, read: T | Problem) -> T | None:
        """Return what was read, or note the problem and return ``None``."""
        if isinstance(read, Problem):
            self._found.append(read)
            return None
        return read
