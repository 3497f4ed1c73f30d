"""The table of rules, and its use: which rules a resource breaks, and where."""

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Final, Literal

import msgspec

from connectors.nll_sandbox.aff import articles, controlled, dates, dispense, dose, prescription
from connectors.nll_sandbox.aff.case import Case, Places
from connectors.nll_sandbox.outcomes import Issue
from connectors.nll_sandbox.vocabulary import AFF_CODES, SANDBOX_CODES

AffSeverity = Literal["reject", "warn", "off"]
Check = Callable[[Case], Places]

_MODULES: Final[tuple[ModuleType, ...]] = (articles, controlled, dates, dispense, dose, prescription)
_RESOURCES: Final[Mapping[str, frozenset[str]]] = {
    "any": frozenset({"MedicationRequest", "MedicationDispense", "Basic", "Consent"}),
    "medication": frozenset({"MedicationRequest", "MedicationDispense"}),
    "MedicationRequest": frozenset({"MedicationRequest"}),
    "MedicationDispense": frozenset({"MedicationDispense"}),
    "Basic": frozenset({"Basic"}),
    "dosing": frozenset({"Basic", "Consent"}),
}


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One row: broken when ``check`` yields a place. ``text`` is the rule in words, what holds when it is kept."""

    code: str
    also: str
    system: str
    severity: AffSeverity
    kinds: frozenset[str]
    check: Check
    text: str
    source: str


def _load() -> tuple[Rule, ...]:
    checks = {
        name: function
        for module in _MODULES
        for name, function in vars(module).items()
        if getattr(function, "__module__", None) == module.__name__ and callable(function) and not name.startswith("_")
    }
    with (Path(__file__).parent / "rules.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    named = [row["check"] for row in rows]
    if sorted(named) != sorted(checks) or len({row["code"] for row in rows}) != len(rows):
        difference = sorted(set(named) ^ set(checks))
        raise LookupError(f"rules.csv and the check functions differ: {', '.join(difference) or 'a code stands twice'}")
    return tuple(_rule(row, checks[row["check"]]) for row in rows)


def _rule(row: Mapping[str, str], check: Check) -> Rule:
    return Rule(
        code=row["code"],
        also=row["also"],
        system=AFF_CODES if row["system"] == "aff" else SANDBOX_CODES,
        severity=msgspec.convert(row["severity"], AffSeverity),
        kinds=_RESOURCES[row["resource"]],
        check=check,
        text=row["rule"],
        source=row["source"],
    )


RULES: Final = _load()


def examine(
    case: Case, place: str = "", severities: Mapping[str, AffSeverity] = MappingProxyType({})
) -> tuple[Issue, ...]:
    """Every rule the case breaks, one issue for each place; ``error`` rejects, ``warning`` is stored with the resource.

    ``place`` is put before each place in the resource; ``severities`` replace those of the table, by code.
    """
    return tuple(
        Issue(
            code=rule.code,
            system=rule.system,
            text=rule.text,
            place=broken if broken.startswith("http.") else f"{place}{case.kind}.{broken}",
            severity="error" if severity == "reject" else "warning",
        )
        for rule in RULES
        if case.kind in rule.kinds and (severity := severities.get(rule.code, rule.severity)) != "off"
        for broken in rule.check(case)
    )
