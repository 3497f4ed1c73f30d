"""Judging one patient's lists against the truth: links of facts, and states at given times.

- A *link* is a pair of facts that stand in one treatment. All facts about treatments count, administrations and
  dispensings included. A fact that the list does not name stands where another version of its record stands.
- A wrong link joins facts of two courses, or a fact of a course to one that names no drug.
- A state is right when the lines that hold facts of the course show it: of several lines, the one that is most alive.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import combinations
from typing import Final, Literal

import msgspec

from contracts.fact import Fact
from contracts.medication_list import ItemState, MedicationList
from streams.simulate.truth import Group, PatientTruth

MissKind = Literal["wrong-merge", "retracted-shown", "in-two-treatments", "missed-link", "wrong-state"]
_ALIVE_FIRST: Final[tuple[ItemState, ...]] = (
    "active", "dormant", "paused", "planned", "ended", "cancelled", "unknown",
)  # fmt: skip
_EXAMPLES: Final = 4


class Miss(msgspec.Struct, frozen=True, kw_only=True):
    """One disagreement with the truth. ``links`` counts the wrong or missing links, ``facts`` are examples."""

    kind: MissKind
    patient: str
    groups: tuple[str, ...]
    mess: tuple[str, ...]
    detail: str
    links: int = 0
    facts: tuple[str, ...] = ()


class GroupResult(msgspec.Struct, kw_only=True):
    """What was found of one course: right, wrong and missed links, right and all states."""

    group: Group
    right: int = 0
    wrong: int = 0
    missed: int = 0
    states_right: int = 0
    states: int = 0


class PatientResult(msgspec.Struct, kw_only=True):
    """What was found of one patient. ``wrong`` counts every wrong link once."""

    patient: str
    groups: dict[str, GroupResult]
    wrong: int = 0
    facts: int = 0
    misses: list[Miss] = []


class _Case(msgspec.Struct, kw_only=True):
    """One patient under judgement: the facts by id, and whose each is in truth (a fact of no course is alone)."""

    facts: Mapping[str, Fact]
    owner: Mapping[str, str]
    result: PatientResult


def judge(
    patient: str, facts: Sequence[Fact], truth: PatientTruth, lists: Mapping[datetime, MedicationList]
) -> PatientResult:
    """Compare one patient's lists (by time of validity; the links are judged on the last) with the truth."""
    result = PatientResult(patient=patient, groups={group.id: GroupResult(group=group) for group in truth.groups})
    owner = {fact: group.id for group in truth.groups for fact in group.facts}
    owner |= {fact: f"alone {fact}" for fact in truth.unattached}
    case = _Case(facts={fact.id: fact for fact in facts}, owner=owner, result=result)
    last = lists[max(lists)]
    _judge_links(case, _treatments(case, last))
    _judge_retracted(case, truth, last)
    _judge_states(case, truth, lists)
    result.facts = sum(len(group.facts) for group in truth.groups)
    return result


def _treatments(case: _Case, last: MedicationList) -> dict[str, str]:
    """Return fact -> treatment; a fact on no line stands with its record, or else alone."""
    of_fact: dict[str, str] = {}
    for item in sorted(last.items, key=lambda item: (item.treatment, item.strand)):
        for fact in item.facts:
            if of_fact.setdefault(fact, item.treatment) != item.treatment:
                case.result.misses.append(_miss(case, "in-two-treatments", (case.owner.get(fact, "none"),), [fact]))
    of_record = {_record(case.facts[fact]): treatment for fact, treatment in of_fact.items() if fact in case.facts}
    return {
        fact: of_fact.get(fact) or of_record.get(_record(case.facts[fact]), f"nowhere {fact}")
        for fact in case.owner
        if fact in case.facts
    }


def _judge_links(case: _Case, treatments: Mapping[str, str]) -> None:
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    parts: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for fact, treatment in treatments.items():
        found[treatment][case.owner[fact]].append(fact)
        parts[case.owner[fact]][treatment].append(fact)
    for members in found.values():
        for (one, first), (other, second) in combinations(sorted(members.items()), 2):
            _wrong(case, (one, first), (other, second))
    for group, by_treatment in parts.items():
        if group not in case.result.groups:
            continue
        sizes = [len(facts) for facts in by_treatment.values()]
        of_group = case.result.groups[group]
        of_group.right = sum(_pairs(size) for size in sizes)
        of_group.missed = _pairs(sum(sizes)) - of_group.right
        if of_group.missed:
            _missed(case, group, by_treatment, of_group.missed)


def _wrong(case: _Case, one: tuple[str, list[str]], other: tuple[str, list[str]]) -> None:
    links = len(one[1]) * len(other[1])
    case.result.wrong += links
    for group, _ in (one, other):
        if group in case.result.groups:
            case.result.groups[group].wrong += links
    detail = f"{_described(case, one[1])} | {_described(case, other[1])}"
    examples = [*one[1][: _EXAMPLES // 2], *other[1][: _EXAMPLES // 2]]
    case.result.misses.append(_miss(case, "wrong-merge", (one[0], other[0]), examples, detail=detail, links=links))


def _missed(case: _Case, group: str, by_treatment: Mapping[str, list[str]], links: int) -> None:
    ranked = sorted(by_treatment.values(), key=lambda facts: (-len(facts), facts))
    alone = [fact for facts in ranked if len(facts) == 1 for fact in facts]
    detail = " | ".join(_described(case, facts) for facts in ranked if len(facts) > 1)
    if alone:
        detail += f" | alone: {_described(case, alone)}"
    examples = [facts[0] for facts in ranked[:_EXAMPLES]]
    case.result.misses.append(_miss(case, "missed-link", (group,), examples, detail=detail, links=links))


def _judge_retracted(case: _Case, truth: PatientTruth, last: MedicationList) -> None:
    shown = {fact for item in last.items for fact in item.facts} & set(truth.retracted)
    for fact in sorted(shown):
        case.result.misses.append(_miss(case, "retracted-shown", (), [fact], detail=_described(case, [fact])))


def _judge_states(case: _Case, truth: PatientTruth, lists: Mapping[datetime, MedicationList]) -> None:
    records = {group.id: set(group.records) for group in truth.groups}
    for probe in truth.states:
        of_group = case.result.groups[probe.group]
        shown = [
            item.state
            for item in lists[probe.at].items
            if any(fact in case.facts and _record(case.facts[fact]) in records[probe.group] for fact in item.facts)
        ]
        state = min(shown, key=_ALIVE_FIRST.index, default=None)
        of_group.states += 1
        of_group.states_right += state == probe.state
        if state != probe.state:
            detail = f"{probe.at:%Y-%m-%d}: {state or 'not on the list'} instead of {probe.state}"
            case.result.misses.append(
                _miss(case, "wrong-state", (probe.group,), of_group.group.facts[:_EXAMPLES], detail=detail)
            )


def _miss(  # noqa: PLR0913 - two of them are optional words
    case: _Case, kind: MissKind, groups: tuple[str, ...], facts: Iterable[str], *, detail: str = "", links: int = 0
) -> Miss:
    mess = {name for group in groups if group in case.result.groups for name in _mess(case, group)}
    return Miss(
        kind=kind,
        patient=case.result.patient,
        groups=tuple("no drug named" if group.startswith("alone ") else group for group in groups),
        mess=tuple(sorted(mess)),
        links=links,
        detail=detail,
        facts=tuple(facts),
    )


def _mess(case: _Case, group: str) -> tuple[str, ...]:
    return case.result.groups[group].group.kind_of_mess


def _described(case: _Case, facts: Iterable[str]) -> str:
    """Return sources and kinds of facts with their numbers: no drug, no person."""
    names = Counter(f"{case.facts[fact].source} {type(case.facts[fact].content).__name__}" for fact in facts)
    return ", ".join(f"{number} {name}" for name, number in sorted(names.items()))


def _record(fact: Fact) -> tuple[str, str]:
    return fact.source, fact.source_id


def _pairs(size: int) -> int:
    return size * (size - 1) // 2
