"""HL7 v2.5.1 tables that order and administration messages use: 0004, 0038, 0119, 0322, 0335."""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Literal, Protocol, TypeVar

import msgspec

from contracts.facts.administration import AdministrationOutcome, AdministrationStatus
from contracts.facts.base import RequestStatus
from contracts.values import PeriodUnit
from mappings.codes.tables import read_table


class OrderControl(msgspec.Struct, frozen=True, kw_only=True):
    """What an order control code (ORC-1) says: the status of the order after it."""

    code: str
    status: RequestStatus
    meaning: str


class OrderStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What an order status (ORC-5) says about the order."""

    code: str
    meaning: str
    status: RequestStatus


class RepeatPattern(msgspec.Struct, frozen=True, kw_only=True):
    """What a repeat pattern (TQ1-3.1) says: ``frequency`` doses per ``period`` ``period_unit``."""

    code: str
    meaning: str
    frequency: int | None = None
    period: Decimal | None = None
    period_unit: PeriodUnit | None = None
    once: bool = False
    as_needed: bool = False


class Completion(msgspec.Struct, frozen=True, kw_only=True):
    """What a completion status (RXA-20) says about an administration."""

    code: str
    status: AdministrationStatus
    outcome: AdministrationOutcome
    meaning: str


class PatientClass(msgspec.Struct, frozen=True, kw_only=True):
    """What a patient class (PV1-2) says about the stay."""

    code: str
    encounter_class: Literal["inpatient", "outpatient"]
    meaning: str


class _Coded(Protocol):
    @property
    def code(self) -> str: ...


_Row = TypeVar("_Row", bound=_Coded)


def _load(name: str, row_type: type[_Row]) -> Mapping[str, _Row]:
    flags = {"yes": True}
    rows = [{key: flags.get(cell, cell) for key, cell in row.items() if cell} for row in read_table(name)]
    loaded = [msgspec.convert(row, row_type, strict=False) for row in rows]
    return MappingProxyType({row.code: row for row in loaded})


ORDER_CONTROL: Final[Mapping[str, OrderControl]] = _load("hl7_order_control", OrderControl)
ORDER_STATUS: Final[Mapping[str, OrderStatus]] = _load("hl7_order_status", OrderStatus)
REPEAT_PATTERNS: Final[Mapping[str, RepeatPattern]] = _load("hl7_repeat_patterns", RepeatPattern)
COMPLETION: Final[Mapping[str, Completion]] = _load("hl7_completion", Completion)
PATIENT_CLASS: Final[Mapping[str, PatientClass]] = _load("hl7_patient_class", PatientClass)
