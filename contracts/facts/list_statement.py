"""Whole-list statements: a list that somebody put together at a time (a discharge list, a reviewed list)."""

from typing import Literal

from contracts.facts.base import Content, RequestStatus, Setting, TreatmentContent
from contracts.values import Dosage, Period, Practitioner


class ListStatement(Content, frozen=True, kw_only=True):
    """That a list was put together at ``occurred_at``. ``complete``: whatever it leaves out was not on it on purpose."""

    kind: Literal["discharge", "review", "admission", "care-plan", "snapshot", "other"]
    complete: bool
    rows: int
    author: Practitioner | None = None


class ListRow(TreatmentContent, frozen=True, kw_only=True):
    """One row of a whole-list statement; ``references`` holds the statement with role ``list``."""

    row: int
    status: RequestStatus
    setting: Setting
    period: Period = Period()
    dosage: Dosage = Dosage()
