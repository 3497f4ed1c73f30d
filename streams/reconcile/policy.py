"""The rules as data: every policy value and the precedence table, with one identity (hash) over both.

Nothing here knows a file: ``parse_rules`` takes bytes, ``default_rules`` reads what stands in the package.
"""

import csv
import hashlib
import io
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Final, Literal, get_args

import msgspec

Verdict = Literal["row", "column", "latest", "undecided", "impossible"]
Field = Literal["state", "product", "dosage", "start", "end"]
Kind = Literal[
    "inpatient_order",
    "outpatient_order",
    "prescription",
    "list_row",
    "reported_use",
    "dose_supply",
    "dispense",
    "administration",
]
FIELDS: Final[tuple[Field, ...]] = get_args(Field)
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
_FLIPPED: Final[Mapping[Verdict, Verdict]] = {"row": "column", "column": "row"}


class RulesError(ValueError):
    """Rules that cannot be used; ``problems`` names every one of them."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("the rules cannot be used: " + "; ".join(problems))
        self.problems = problems


class Matching(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When two entries may be one treatment."""

    overlap_tolerance_hours: int
    after_stop_days: int
    unordered_gap_days: int
    trusted_retractors: tuple[str, ...]


class Lifecycle(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How states follow from time and stays."""

    inpatient_orders_end_at_discharge: bool
    unconfirmed_after_days: int


class FindingLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From when on something is worth a finding."""

    not_given_after_hours: int
    period_differs_days: int
    source_silent_days: int


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    matching: Matching
    lifecycle: Lifecycle
    findings: FindingLimits
    form_groups: Mapping[str, tuple[str, ...]]


class _Line(msgspec.Struct, frozen=True):
    field: Field
    row: Kind
    column: Kind
    verdict: Verdict


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """One set of rules. ``identity`` is the hash of everything that can make a list differ.

    ``tolerance``: how far two periods may miss each other and still meet.
    """

    name: str
    identity: str
    matching: Matching
    lifecycle: Lifecycle
    findings: FindingLimits
    form_group: Mapping[str, str]
    verdicts: Mapping[tuple[Field, Kind, Kind], Verdict]
    tolerance: timedelta


@cache
def default_rules() -> Rules:
    """Return the rules that stand in the package."""
    folder = files(__package__) / "rules"
    return parse_rules((folder / "default.toml").read_bytes(), (folder / "precedence.csv").read_bytes())


def parse_rules(toml: bytes, precedence_csv: bytes) -> Rules:
    """Return checked rules. Raises ``RulesError`` naming every problem: shape, missing pairs, cycles."""
    try:
        file = msgspec.convert(tomllib.loads(toml.decode()), _File)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise RulesError([str(error)]) from None
    verdicts, problems = _parse_precedence(precedence_csv)
    if not problems:
        problems = [problem for field in FIELDS for problem in _inconsistencies(field, verdicts)]
    form_group: dict[str, str] = {}
    for group, forms in sorted(file.form_groups.items()):
        for form in forms:
            if form in form_group:
                problems.append(f"form {form} stands in two groups: {form_group[form]} and {group}")
            form_group[form] = group
    if problems:
        raise RulesError(problems)
    table = sorted((*key, verdict) for key, verdict in verdicts.items())
    identity = hashlib.sha256(msgspec.json.encode((file, table), order="deterministic")).hexdigest()[:16]
    return Rules(
        name=file.name,
        identity=identity,
        matching=file.matching,
        lifecycle=file.lifecycle,
        findings=file.findings,
        form_group=form_group,
        verdicts=verdicts,
        tolerance=timedelta(hours=file.matching.overlap_tolerance_hours),
    )


def _parse_precedence(data: bytes) -> tuple[dict[tuple[Field, Kind, Kind], Verdict], list[str]]:
    lines = [line for line in data.decode().splitlines() if line and not line.startswith("#")]
    verdicts: dict[tuple[Field, Kind, Kind], Verdict] = {}
    problems: list[str] = []
    for number, row in enumerate(csv.DictReader(io.StringIO("\n".join(lines))), 2):
        try:
            line = msgspec.convert(row, _Line)
        except msgspec.ValidationError as error:
            problems.append(f"precedence line {number}: {error}")
            continue
        field, left, right, verdict = line.field, line.row, line.column, line.verdict
        for key, value in (((field, left, right), verdict), ((field, right, left), _FLIPPED.get(verdict, verdict))):
            if verdicts.setdefault(key, value) != value:
                problems.append(f"precedence line {number}: {left} and {right} stand twice for {field}, differently")
    problems += [
        f"precedence: no verdict for {field}, {left} and {right}"
        for field in FIELDS
        for i, left in enumerate(KINDS)
        for right in KINDS[i:]
        if (field, left, right) not in verdicts
    ]
    return verdicts, problems


def _inconsistencies(field: Field, verdicts: Mapping[tuple[Field, Kind, Kind], Verdict]) -> list[str]:
    """Say where comparing in another order could give another winner.

    ``row``/``column`` must be transitive (hence free of cycles), and kinds that are compared by time must stand to
    every third kind alike.
    """
    problems = []
    for a in KINDS:
        for b in KINDS:
            for c in KINDS:
                if len({a, b, c}) < 3:  # noqa: PLR2004 three different kinds
                    continue
                ab, bc, ac = verdicts[field, a, b], verdicts[field, b, c], verdicts[field, a, c]
                if "impossible" in {ab, bc, ac}:
                    continue
                beats = (ab == "row" and bc in {"row", "latest"}) or (ab == "latest" and bc == "row")
                if beats and ac != "row":
                    problems.append(f"precedence: {field}: {a} > {b} > {c}, but {a} against {c} is {ac}")
                if ab == bc == "latest" and ac != "latest":
                    problems.append(f"precedence: {field}: {a}, {b}, {c} are compared by time only in part")
    return problems
