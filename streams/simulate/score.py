"""Scoring: how well lists agree with the truth. Knows the truth and the list, and nothing of how a list is made.

``precision`` and ``recall`` of links are means over patients, so that a patient with thousands of administrations weighs
no more than another; ``*_of_links`` weigh every link alike. By kind of mess, every course weighs alike.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from statistics import fmean
from typing import Final

import msgspec

from contracts.envelope import decode_fact
from contracts.fact import Fact
from contracts.medication_list import MedicationList
from streams.simulate.hide import hide_links
from streams.simulate.judge import GroupResult, Miss, MissKind, PatientResult, judge
from streams.simulate.truth import decode_truth
from streams.simulate.world import FACTS_FILE, TRUTH_FILE

Reconcile = Callable[[Sequence[Fact], Sequence[datetime]], Sequence[MedicationList]]
"""Facts of one patient in the order of arrival, and rising times of validity -> the list at each, knowing everything."""

_WORST_FIRST: Final[tuple[MissKind, ...]] = (
    "wrong-merge", "retracted-shown", "in-two-treatments", "missed-link", "wrong-state",
)  # fmt: skip


class KindScore(msgspec.Struct, frozen=True, kw_only=True):
    """The score of the courses with one kind of mess; ``None`` where there is nothing to judge."""

    courses: int
    precision: float | None
    recall: float | None
    states_right: float | None


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """How well lists agree with the truth; ``misses`` have the worst first."""

    precision: float
    recall: float
    states_right: float
    by_kind: Mapping[str, KindScore]
    precision_of_links: float
    recall_of_links: float
    patients: int
    facts: int
    courses: int
    states: int
    hide_ids: bool
    misses: tuple[Miss, ...]


class _Subject(msgspec.Struct):
    subject: str


def score(directory: Path, reconcile: Reconcile, *, hide_ids: bool) -> Score:
    """Compare the lists that ``reconcile`` makes of ``directory``'s facts with its truth.

    Raises ``OSError`` when a file is missing, ``msgspec.DecodeError`` or ``UnreadableEventError`` when one is damaged.
    """
    truth = decode_truth((directory / TRUTH_FILE).read_bytes())
    lines = _lines_by_patient(directory / FACTS_FILE)
    results = []
    for patient, of_patient in sorted(truth.patients.items()):
        facts = [decode_fact(line) for line in lines[patient]]
        if hide_ids:
            facts = [hide_links(fact) for fact in facts]
        times = sorted({probe.at for probe in of_patient.states} | {truth.known_at})
        lists = dict(zip(times, reconcile(facts, times), strict=True))
        results.append(judge(patient, facts, of_patient, lists))
    return summarise(results, hide_ids=hide_ids)


def summarise(results: Sequence[PatientResult], *, hide_ids: bool) -> Score:
    """Return the score of many patients. What there is nothing of is all right."""
    groups = [group for result in results for group in result.groups.values()]
    misses = sorted((miss for result in results for miss in result.misses), key=_rank)
    right, missed = sum(group.right for group in groups), sum(group.missed for group in groups)
    return Score(
        precision=_all_right_if_none(_mean(_share(_right(result), result.wrong) for result in results)),
        recall=_all_right_if_none(_mean(_share(_right(result), _missed(result)) for result in results)),
        states_right=_all_right_if_none(_states(groups)),
        by_kind=_by_kind(groups),
        precision_of_links=_all_right_if_none(_share(right, sum(result.wrong for result in results))),
        recall_of_links=_all_right_if_none(_share(right, missed)),
        patients=len(results),
        facts=sum(result.facts for result in results),
        courses=len(groups),
        states=sum(group.states for group in groups),
        hide_ids=hide_ids,
        misses=tuple(misses),
    )


def headline(result: Score) -> bytes:
    """Return the figures, without the misses, as one line of JSON."""
    shown = {name: getattr(result, name) for name in Score.__struct_fields__ if name != "misses"}
    return msgspec.json.encode(shown, order="deterministic")


def _lines_by_patient(path: Path) -> Mapping[str, list[bytes]]:
    subject = msgspec.json.Decoder(_Subject)
    lines: dict[str, list[bytes]] = defaultdict(list)
    with path.open("rb") as file:
        for line in file:
            lines[subject.decode(line).subject].append(line)
    return lines


def _by_kind(groups: Sequence[GroupResult]) -> dict[str, KindScore]:
    of_kind: dict[str, list[GroupResult]] = defaultdict(list)
    for group in groups:
        for kind in group.group.kind_of_mess:
            of_kind[kind].append(group)
    return {
        kind: KindScore(
            courses=len(members),
            precision=_mean(_share(group.right, group.wrong) for group in members),
            recall=_mean(_share(group.right, group.missed) for group in members),
            states_right=_states(members),
        )
        for kind, members in sorted(of_kind.items())
    }


def _right(result: PatientResult) -> int:
    return sum(group.right for group in result.groups.values())


def _missed(result: PatientResult) -> int:
    return sum(group.missed for group in result.groups.values())


def _states(groups: Iterable[GroupResult]) -> float | None:
    right, asked = 0, 0
    for group in groups:
        right, asked = right + group.states_right, asked + group.states
    return _share(right, asked - right)


def _share(right: int, other: int) -> float | None:
    return right / (right + other) if right + other else None


def _mean(shares: Iterable[float | None]) -> float | None:
    known = [share for share in shares if share is not None]
    return fmean(known) if known else None


def _all_right_if_none(share: float | None) -> float:
    return 1.0 if share is None else share


def _rank(miss: Miss) -> tuple[int, int, str, tuple[str, ...], str]:
    return _WORST_FIRST.index(miss.kind), -miss.links, miss.patient, miss.groups, miss.detail
