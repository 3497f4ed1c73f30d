"""Segments, fields and their parts: each knows its place and notes what is wrong with it."""

import re
from decimal import Decimal
from typing import Final

import msgspec

from contracts.problems import Problem
from mappings.codes.numbers import read_decimal, read_whole
from mappings.collecting import Problems

MAX_TEXT: Final = 4_000
_NULL = '""'
_HEX = re.compile(r"X((?:[0-9A-Fa-f]{2})+)")
_LAYOUT = {".br": "\n", ".ce": "\n", ".fi": "", ".nf": "", "H": "", "N": ""}
_SPACED_LAYOUT = re.compile(r"\.(sp|sk|in|ti)[+-]?\d{0,3}")


class Delimiters(msgspec.Struct, frozen=True, kw_only=True):
    """The characters that part a message, and the codec of its text."""

    field: str
    component: str
    repetition: str
    escape: str
    subcomponent: str
    codec: str = "ascii"


class Segment:
    """One segment; ``number`` counts the segments of its name in the message from one."""

    def __init__(
        self, *, name: str, number: int, fields: list[str], delimiters: Delimiters, problems: Problems
    ) -> None:
        self.name = name
        self.number = number
        self.problems = problems
        self._fields = fields
        self._delimiters = delimiters

    @property
    def place(self) -> str:
        """The segment's place in the message."""
        return self.name if self.name == "MSH" else f"{self.name}[{self.number}]"

    def at(self, number: int) -> str:
        """Return the place of a field."""
        return f"{self.place}-{number}"

    def noting(self, problems: Problems) -> "Segment":
        """Return the same segment, noting its problems elsewhere."""
        return Segment(
            name=self.name, number=self.number, fields=self._fields, delimiters=self._delimiters, problems=problems
        )

    def fields(self, number: int) -> "tuple[Field, ...]":
        """Return the repetitions of a field that hold something."""
        if number > len(self._fields):
            return ()
        raw = self._fields[number - 1]
        if self.name == "MSH" and number <= 2:  # noqa: PLR2004 - MSH-1 and MSH-2 are the delimiters themselves
            return ()
        repetitions = raw.split(self._delimiters.repetition)
        found = []
        for count, repetition in enumerate(repetitions, start=1):
            place = self.at(number) if len(repetitions) == 1 else f"{self.at(number)}[{count}]"
            field = Field(repetition, place, self._delimiters, self.problems)
            if not field.is_empty:
                found.append(field)
        return tuple(found)

    def field(self, number: int) -> "Field | None":
        """Return a field that does not repeat."""
        found = self.fields(number)
        if len(found) > 1:
            self.problems.add("contradiction", self.at(number), "repeats; one value is allowed here")
            return None
        return found[0] if found else None

    def text(self, number: int, component: int = 1, *, required: bool = False) -> str | None:
        """Return one component of a field that does not repeat."""
        field = self.field(number)
        found = None if field is None else field.text(component)
        if found is None and required:
            place = self.at(number) if component == 1 else f"{self.at(number)}.{component}"
            self.problems.add("missing", place, "is required")
        return found

    def decimal(self, number: int) -> Decimal | None:
        """Return a number that is not negative."""
        field = self.field(number)
        return None if field is None else field.amount()

    def whole(self, number: int) -> int | None:
        """Return a whole number."""
        text = self.text(number)
        return None if text is None else self.problems.keep(read_whole(text, self.at(number)))

    def refuse(self, number: int, text: str) -> None:
        """Note a field that this profile does not read and must not pass over."""
        if self.fields(number):
            self.problems.add("unsupported", self.at(number), text)


class Field:
    """One repetition of a field: components, and subcomponents within them."""

    def __init__(self, raw: str, place: str, delimiters: Delimiters, problems: Problems) -> None:
        self.place = place
        self.problems = problems
        self._raw = raw
        self._delimiters = delimiters
        self._components = raw.split(delimiters.component)

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing stands here, or an explicit null."""
        only_delimiters = self._delimiters.component + self._delimiters.subcomponent + " "
        return self._raw.strip(only_delimiters) in {"", _NULL}

    def at(self, component: int) -> str:
        """Return the place of a component."""
        return f"{self.place}.{component}"

    def text(self, component: int = 1) -> str | None:
        """Return a component that has no subcomponents."""
        parts = self._parts(component)
        if len([part for part in parts if part.strip()]) > 1:
            escaped = self._delimiters.subcomponent
            self.problems.add(
                "unreadable", self.at(component), f"has several parts; write {escaped} in a text as \\T\\"
            )
            return None
        return self.part(component, 1)

    def part(self, component: int, subcomponent: int) -> str | None:
        """Return a subcomponent."""
        parts = self._parts(component)
        raw = parts[subcomponent - 1].strip() if subcomponent <= len(parts) else ""
        if raw in {"", _NULL}:
            return None
        text = self.problems.keep(_unescape(raw, self._delimiters, self.at(component)))
        if text is not None and len(text) > MAX_TEXT:
            self.problems.add("too-long", self.at(component), f"has more than {MAX_TEXT} characters; shorten it")
            return None
        return text or None

    def only_text(self) -> str | None:
        """Return a field that is one text (ST, TX, FT) and has no components."""
        if len([part for part in self._components if part.strip()]) > 1:
            self.problems.add("unreadable", self.place, "is one text; write its ^ as \\S\\")
            return None
        return self.text(1)

    def amount(self, component: int = 1) -> Decimal | None:
        """Return a number that is not negative."""
        text = self.text(component)
        if text is None:
            return None
        value = self.problems.keep(read_decimal(text, self.at(component)))
        if value is not None and value < 0:
            self.problems.add("unreadable", self.at(component), "an amount is not negative")
            return None
        return value

    def _parts(self, component: int) -> list[str]:
        if component > len(self._components):
            return []
        return self._components[component - 1].split(self._delimiters.subcomponent)


def _unescape(raw: str, delimiters: Delimiters, place: str) -> str | Problem:
    if delimiters.escape not in raw:
        return raw
    pieces = raw.split(delimiters.escape)
    plain = pieces[0::2]
    decoded = [_escape(sequence, delimiters) for sequence in pieces[1::2]]
    if len(pieces) % 2 == 0 or None in decoded:
        return Problem(code="unreadable", place=place, text="an escape sequence is unfinished or unknown; correct it")
    woven = [part for pair in zip(plain, [*decoded, ""], strict=True) for part in pair if part is not None]
    return "".join(woven).replace("\r\n", "\n").replace("\r", "\n").strip()


def _escape(sequence: str, delimiters: Delimiters) -> str | None:
    named = {
        "F": delimiters.field,
        "S": delimiters.component,
        "T": delimiters.subcomponent,
        "R": delimiters.repetition,
        "E": delimiters.escape,
        **_LAYOUT,
    }
    if sequence in named:
        return named[sequence]
    if _SPACED_LAYOUT.fullmatch(sequence):
        return "\n" if sequence.startswith(".sp") else " "
    found = _HEX.fullmatch(sequence)
    if found is None:
        return None
    try:
        return bytes.fromhex(found[1]).decode(delimiters.codec)
    except UnicodeDecodeError:
        return None
