"""The clauses of a sentence in a case: ``from 2026-01-01``, ``1 x 2``, ``as A``, ``says "1 tablett dagligen"``.

A clause that nobody understands is an error, so that no case can pass by being misread. Times are Swedish local time; a
date alone is the beginning of that day.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from contracts.values import Dosage, DosageStep, Period, Quantity

ZONE = ZoneInfo("Europe/Stockholm")
TIME = r"\d{4}-\d\d-\d\d(?: \d\d:\d\d)?"
_SPLIT = re.compile(r', (?=(?:[^"]*"[^"]*")*[^"]*$)')
_AMOUNT = r"(?P<amount>[\d.]+)(?: (?P<unit>mg|g|ml|ug))?"
_PART = re.compile(
    _AMOUNT + r" x (?P<times>\d+)(?: for (?P<length>\d+) days)?"
    r"(?: on days (?P<first>\d+)-(?P<last>\d+) of (?P<cycle>\d+))?(?: on (?P<weekday>mon|tue|wed|thu|fri|sat|sun))?"
)
_NEEDED = re.compile(_AMOUNT + r" as needed(?: at most (?P<most>[\d.]+) a day)?")


def moment(text: str) -> datetime:
    """Return the UTC time of a local time."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)


@dataclass
class Clauses:
    """What the clauses of one sentence say; ``dose_unit`` is what a bare number in a dosage counts."""

    dose_unit: str = "{tablet}"
    steps: tuple[DosageStep, ...] = ()
    most: Quantity | None = None
    text: str | None = None
    start: datetime | None = None
    has_start: bool = True
    end: datetime | None = None
    recorded: datetime | None = None
    received: datetime | None = None
    name: str | None = None
    version: int | None = None
    chain: str | None = None
    replaces: str | None = None
    about: list[str] = field(default_factory=list)
    on: str | None = None
    pauses: tuple[Period, ...] = ()
    words: dict[str, str] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)

    @property
    def dosage(self) -> Dosage:
        """The dosage, empty if none was said."""
        return Dosage(text=self.text, steps=self.steps, max_per_day=self.most)


def split(rest: str) -> list[str]:
    """Return what commas outside quotation marks part."""
    return [part for part in _SPLIT.split(rest) if part]


def read(parts: list[str], dose_unit: str) -> Clauses:
    """Return the meaning of clauses. Raises ``ValueError`` for one that is not understood."""
    said = Clauses(dose_unit=dose_unit)
    for part in parts:
        for pattern, take in _CLAUSES:
            match = re.fullmatch(pattern, part)
            if match is not None:
                take(said, match)
                break
        else:
            raise ValueError(f"a case says {part!r}, which means nothing here")
    return said


def _quantity(said: Clauses, match: re.Match[str], group: str = "amount") -> Quantity:
    return Quantity(value=Decimal(match[group]), unit=match["unit"] or said.dose_unit)


def _regular(said: Clauses, match: re.Match[str]) -> None:
    steps = []
    for number, words in enumerate(match[0].split(" then "), 1):
        part = _PART.fullmatch(words)
        if part is None:
            raise ValueError(f"a case says the dosage {words!r}, which means nothing here")
        days = range(int(part["first"]), int(part["last"]) + 1) if part["first"] else ()
        weekday: tuple[object, ...] = (part["weekday"],) if part["weekday"] else ()
        steps.append(
            DosageStep(
                sequence=number,
                dose=_quantity(said, part),
                frequency=int(part["times"]),
                period=Decimal(1),
                period_unit="wk" if weekday else "d",
                duration_days=int(part["length"]) if part["length"] else None,
                cycle_days=int(part["cycle"]) if part["cycle"] else None,
                days_in_cycle=tuple(days),
                weekdays=weekday,  # type: ignore[arg-type]  # the pattern allows weekdays only
            )
        )
    said.steps = tuple(steps)


def _needed(said: Clauses, match: re.Match[str]) -> None:
    said.steps = (DosageStep(dose=_quantity(said, match), as_needed=True),)
    if match["most"]:
        said.most = Quantity(value=Decimal(match["most"]), unit=match["unit"] or said.dose_unit)


def _set(attribute: str, convert: Callable[[str], object]) -> Callable[[Clauses, re.Match[str]], None]:
    return lambda said, match: setattr(said, attribute, convert(match[1]))


def _flag(said: Clauses, match: re.Match[str]) -> None:
    said.flags.add(match[0])


def _word(said: Clauses, match: re.Match[str]) -> None:
    said.words[match[1]] = match[2]


def _pause(said: Clauses, match: re.Match[str]) -> None:
    said.pauses = (*said.pauses, Period(start=moment(match[1]), end=moment(match[2])))


def _no_start(said: Clauses, _: re.Match[str]) -> None:
    said.has_start = False


_CLAUSES: tuple[tuple[str, Callable[[Clauses, re.Match[str]], None]], ...] = (
    (_PART.pattern.replace("?P<", "?P<one_") + r"(?: then .*)?", _regular),
    (_NEEDED.pattern, _needed),
    (r'says "(.*)"', _set("text", str)),
    (f"from ({TIME})", _set("start", moment)),
    (f"until ({TIME})", _set("end", moment)),
    (r"start unknown", _no_start),
    (f"recorded ({TIME})", _set("recorded", moment)),
    (f"received ({TIME})", _set("received", moment)),
    (r"as ([A-Z]\w*)", _set("name", str)),
    (r"version (\d+)", _set("version", int)),
    (r"in chain (\w+)", _set("chain", str)),
    (r"replacing (\w+)", _set("replaces", str)),
    (r"for (\w+)", lambda said, match: said.about.append(match[1])),
    (r"on list (\w+)", _set("on", str)),
    (f"resting ({TIME}) to ({TIME})", _pause),
    (r"(code|atc|route|unit|prescriber|because|directive|nll|purpose|dispenses|outcome) (\S+)", _word),
    (r"as free text|without product code|in words only|fully dispensed|complete|substituted|by itself", _flag),
)
