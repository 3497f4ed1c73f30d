"""Outcomes of administrations as municipal systems code them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, get_args

import msgspec

from contracts.facts.administration import AdministrationOutcome, AdministrationStatus
from mappings.codes.tables import fold, index, read_table, split


class OutcomeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One outcome; ``statuses`` are those it goes with, the usual one first."""

    outcome: AdministrationOutcome
    statuses: tuple[AdministrationStatus, ...]
    codes: tuple[str, ...]
    swedish: str


OUTCOMES: Final[Mapping[AdministrationOutcome, OutcomeRow]] = MappingProxyType(
    {
        row.outcome: row
        for row in msgspec.convert(
            [
                {**raw, "statuses": split(raw["statuses"]), "codes": split(raw["codes"])}
                for raw in read_table("municipal_outcomes")
            ],
            list[OutcomeRow],
        )
    }
)
"""Outcome -> row; every outcome of the published language has one (a test says so)."""

ALL_OUTCOMES: Final[tuple[AdministrationOutcome, ...]] = get_args(AdministrationOutcome)

_BY_CODE = index("municipal_outcomes", ((fold(code), row.outcome) for row in OUTCOMES.values() for code in row.codes))


def outcome_from_code(code: str) -> OutcomeRow | None:
    """Return the row of a code or word that a source may write, ``None`` for one that no row names."""
    outcome = _BY_CODE.get(fold(code))
    return None if outcome is None else next(row for row in OUTCOMES.values() if row.outcome == outcome)
