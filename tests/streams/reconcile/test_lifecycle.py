"""Lines keep to the table of the lifecycle, and the table is in order."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.fact import Fact
from contracts.medication_list import ListItem
from streams.command.knowledge import reconciler
from streams.reconcile.lifecycle import EVENTS, STATES, TIME, IllegalStepError, event_between, step
from streams.simulate.world import simulate
from tests.streams.reconcile.history import history

RECONCILER = reconciler()
SEED = 20260322


def successive(facts: Sequence[Fact], limit: int = 400) -> Iterator[dict[str, ListItem]]:
    """The lines of one patient at every moment at which the list changes by itself, from long before the first fact."""
    patient = RECONCILER.patient(facts[0].patient)
    patient.add(facts)
    when: datetime | None = min(fact.occurred_at or fact.received_at for fact in facts) - timedelta(days=400)
    for _ in range(limit):
        if when is None:
            return
        made = patient.list_at(when)
        yield {item.strand: item for item in made.items}
        when = made.next_change_at


def events(facts: Sequence[Fact]) -> Counter[str]:
    """The events that time brings to the lines of a patient. Raises for a step that the table does not know."""
    found: Counter[str] = Counter()
    for before, after in pairwise(successive(facts)):
        assert before.keys() == after.keys(), "time alone makes and takes no line"
        for strand, item in after.items():
            if before[strand].state != item.state:
                found[event_between(before[strand].state, item.state, item.because["state"].rule)] += 1
    return found


def test_every_line_of_a_region_keeps_to_the_table() -> None:
    """All successive states of all simulated lines, at every moment of change, are transitions of the table."""
    found: Counter[str] = Counter()
    for index in range(60):
        found += events(simulate(SEED, index).facts)

    assert {"start", "stop", "end-reached", "admit", "discharge", "pause", "resume"} <= set(found)


@given(patient=st.integers(0, 200), data=st.data())
def test_lines_of_torn_histories_keep_to_the_table(patient: int, data: st.DataObject) -> None:
    """Even with facts missing at random the table is kept."""
    facts = simulate(SEED, patient).facts
    start = data.draw(st.integers(0, max(0, len(facts) - 1)))
    kept = facts[start : start + data.draw(st.integers(1, 40))]

    events([fact for fact in kept if data.draw(st.booleans())] or kept)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (
            ("2026-01-01 primary care orders Furix 40 mg, 1 x 1, from 2026-02-01, until 2026-03-01",),
            ["start", "end-reached"],
        ),
        (
            (
                "2026-01-01 primary care orders Furix 40 mg, 1 x 1, until 2026-02-01, in chain c1, as A",
                "2026-01-01 primary care orders Furix 40 mg, 1 x 1, from 2026-05-01, in chain c1, as B",
            ),
            ["start", "end-before-next", "start"],
        ),
        (
            (
                "2026-01-01 primary care orders Furix 40 mg, 1 x 1, start unknown, as A",
                "2026-02-01 primary care stops A",
            ),
            ["first-heard-of", "stop"],
        ),
        (
            (
                "2026-01-01 primary care orders Furix 40 mg, 1 x 1, from 2026-02-01, as A",
                "2026-01-25 hospital admits",
                "2026-02-05 hospital discharges",
            ),
            ["start-while-admitted", "discharge"],
        ),
        (
            (
                "2026-01-01 primary care orders Furix 40 mg, 1 x 1, as A",
                "2026-01-10 primary care stops A",
                "2026-02-01 primary care resumes A",
            ),
            ["start", "stop", "restart"],
        ),
    ],
)
def test_what_happens_has_a_name(told: tuple[str, ...], expected: list[str]) -> None:
    """The events of a case, in their order."""
    found = []
    for before, after in pairwise(successive(history(*told).facts)):
        for strand, item in after.items():
            if before[strand].state != item.state:
                found.append(event_between(before[strand].state, item.state, item.because["state"].rule))

    assert found == expected


def test_a_step_that_cannot_be_is_refused() -> None:
    """What is cancelled is never resumed, and nothing is changed by asking."""
    with pytest.raises(IllegalStepError):
        step("cancelled", "resume")
    with pytest.raises(IllegalStepError):
        event_between("cancelled", "active", "IN_FORCE")


def test_time_never_leads_out_of_cancelled() -> None:
    """Never valid is never valid at any time; only a correction can change that."""
    assert {t.event for t in TIME if t.before == "cancelled"} == set()
    assert "active" in step("cancelled", "correction")


def test_the_table_names_only_what_exists() -> None:
    """Every state is reached and every event is described."""
    assert {t.event for t in TIME} <= set(EVENTS)
    assert {t.after for t in TIME} | {"planned"} == set(STATES)
    assert len({(t.before, t.event, t.after) for t in TIME}) == len(TIME)
