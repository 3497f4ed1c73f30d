"""Reading JSON so that nothing is lost on the way: exact decimals, no key twice, limits on size and depth.

``read_json`` gives plain values in which every number with a fraction is a ``Decimal``; ``JsonObject`` reads named fields of
an object, knows its place (a JSON path) and notes what is wrong with it.
"""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NoReturn, TypeAlias, TypeVar

from contracts.problems import Problem
from mappings.codes.numbers import exact
from mappings.collecting import Problems

Json: TypeAlias = "bool | int | Decimal | str | list[Json] | dict[str, Json] | None"
T = TypeVar("T")

MAX_BYTES: Final = 4_000_000
MAX_DEPTH: Final = 60
MAX_TEXT: Final = 4_000
"""Longest text of a field, in characters; a longer one is a problem, it is never cut."""

_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_KEY = re.compile(r"[A-Za-z_][A-Za-z_-]{0,63}")
_NUMBER_CHARACTERS = 60


class _Pairs(list[tuple[str, "Json"]]):
    """The members of an object as they were written, before keys that stand twice can hide each other."""


def read_json(data: bytes) -> "Json | tuple[Problem, ...]":
    """Return the value of a JSON text, or every reason why it cannot be read."""
    if len(data) > MAX_BYTES:
        return (Problem(code="too-long", place="$", text=f"send at most {MAX_BYTES} bytes in one message"),)
    if _depth(data) > MAX_DEPTH:
        return (Problem(code="unreadable", place="$", text=f"nest at most {MAX_DEPTH} levels deep"),)
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_Pairs,
            parse_float=_decimal,
            parse_int=_whole,
            parse_constant=_no_constant,
        )
    except UnicodeDecodeError:
        return (Problem(code="unreadable", place="$", text="send the text in UTF-8"),)
    except json.JSONDecodeError as error:
        place = f"$ (line {error.lineno}, column {error.colno})"
        return (Problem(code="unreadable", place=place, text="correct the JSON syntax here"),)
    except _NumberError:
        return (Problem(code="unreadable", place="$", text="a number is not finite, or has more digits than can be"),)
    problems = Problems()
    plain = _plain(value, "$", problems)
    return problems.found if problems else plain


class _NumberError(Exception):
    """A number that no field can carry."""


def _decimal(text: str) -> Decimal:
    read = exact(Decimal(text), "$") if len(text) < _NUMBER_CHARACTERS and _small_exponent(text) else None
    if not isinstance(read, Decimal):
        raise _NumberError
    return read


def _small_exponent(text: str) -> bool:
    return len(text.lower().partition("e")[2].lstrip("+-")) <= 2  # noqa: PLR2004 - E99 is far beyond any dose


def _whole(text: str) -> int:
    if len(text) > _NUMBER_CHARACTERS:
        raise _NumberError
    return int(text)


def _no_constant(_: str) -> NoReturn:
    raise _NumberError


def _depth(data: bytes) -> int:
    depth = deepest = 0
    for token in _BRACKETS.finditer(data):
        if token[0] in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif token[0] in b"]}":
            depth -= 1
    return deepest


def _plain(value: object, place: str, problems: Problems) -> Json:
    """Turn members into dictionaries; note keys that stand twice, and texts that are no Unicode text."""
    match value:
        case _Pairs():
            members: dict[str, Json] = {}
            for key, member in value:
                inner = f"{place}.{key if _KEY.fullmatch(key) else '?'}"
                if key in members:
                    problems.add("duplicate-key", inner, "the key stands twice in one object; keep one")
                members[key] = _plain(member, inner, problems)
            return members
        case list():
            return [_plain(member, f"{place}[{index}]", problems) for index, member in enumerate(value)]
        case str():
            if any("\ud800" <= character <= "\udfff" for character in value):
                problems.add("unreadable", place, "half a surrogate pair is no character; correct the escape")
            return value
        case None | bool() | int() | Decimal():
            return value
        case _:
            raise TypeError(type(value).__name__)


class JsonObject:
    """An object of a message: reads its fields by name and notes what is missing or of the wrong kind."""

    def __init__(self, values: Mapping[str, Json], place: str, problems: Problems) -> None:
        self._values = values
        self.place = place
        self.problems = problems

    def __contains__(self, name: str) -> bool:
        """Tell whether a field is there and not null."""
        return self._values.get(name) is not None

    def with_problems(self, problems: Problems) -> "JsonObject":
        """Return the same object, noting its problems elsewhere."""
        return JsonObject(self._values, self.place, problems)

    def at(self, name: str) -> str:
        """Return the JSON path of a field."""
        return f"{self.place}.{name}"

    def text(self, name: str, *, required: bool = False, limit: int = MAX_TEXT) -> str | None:
        """Return a text without surrounding blanks; an empty one is not there."""
        value = self._typed(name, str, required=False, expected="a text")
        text = None if value is None else value.strip()
        if not text:
            if required and (value is not None or name not in self):
                self.problems.add("missing", self.at(name), "is required")
            return None
        if len(text) > limit:
            self.problems.add("too-long", self.at(name), f"has more than {limit} characters; shorten it at the source")
            return None
        return text

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the texts of a list, without surrounding blanks; empty ones are not there."""
        found = []
        for index, member in enumerate(self._typed(name, list, required=False, expected="a list of texts") or []):
            place = f"{self.at(name)}[{index}]"
            if not isinstance(member, str):
                self.problems.add("unreadable", place, "must be a text")
            elif len(member) > MAX_TEXT:
                self.problems.add("too-long", place, f"has more than {MAX_TEXT} characters; shorten it at the source")
            elif text := member.strip():
                found.append(text)
        return tuple(found)

    def whole(self, name: str, *, required: bool = False) -> int | None:
        """Return a whole number (``2`` or ``2.0``)."""
        number = self.decimal(name, required=required)
        if number is not None and number != number.to_integral_value():
            self.problems.add("unreadable", self.at(name), "write a whole number")
            return None
        return None if number is None else int(number)

    def decimal(self, name: str, *, required: bool = False) -> Decimal | None:
        """Return an exact number."""
        value = self._values.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = Decimal(value)
        if isinstance(value, Decimal):
            return self.problems.keep(exact(value, self.at(name)))
        self._typed(name, Decimal, required=required, expected="a number")
        return None

    def flag(self, name: str, *, required: bool = False) -> bool | None:
        """Return true or false."""
        return self._typed(name, bool, required=required, expected="true or false")

    def child(self, name: str, *, required: bool = False) -> "JsonObject | None":
        """Return the object in a field."""
        value = self._typed(name, dict, required=required, expected="an object")
        return None if value is None else JsonObject(value, self.at(name), self.problems)

    def children(self, name: str, *, required: bool = False) -> "tuple[JsonObject, ...]":
        """Return the objects of a list; ``required`` asks for at least one."""
        value = self._typed(name, list, required=required, expected="a list of objects") or []
        if required and name in self and not value:
            self.problems.add("missing", self.at(name), "needs at least one entry")
        found = []
        for index, member in enumerate(value):
            place = f"{self.at(name)}[{index}]"
            if isinstance(member, dict):
                found.append(JsonObject(member, place, self.problems))
            else:
                self.problems.add("unreadable", place, "must be an object")
        return tuple(found)

    def _typed(self, name: str, kind: type[T], *, required: bool, expected: str) -> T | None:
        value = self._values.get(name)
        if value is None:
            if required:
                self.problems.add("missing", self.at(name), "is required")
            return None
        if not isinstance(value, kind):
            self.problems.add("unreadable", self.at(name), f"must be {expected}")
            return None
        return value


def root_object(data: bytes, problems: Problems) -> JsonObject | None:
    """Return the object that a whole message is, or note why it is none."""
    value = read_json(data)
    if isinstance(value, tuple):
        for problem in value:
            problems.keep(problem)
        return None
    if not isinstance(value, dict):
        problems.add("unreadable", "$", "a message is one JSON object")
        return None
    return JsonObject(value, "$", problems)
