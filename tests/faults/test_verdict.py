"""The verdict sees what was planted, each fault under its own name, and sees nothing where nothing is wrong."""

from typing import Any

import msgspec
import pytest

from streams.topology.rebuilding.comparing import Difference
from tests.faults.counting import Chain, CountingCore, chain_of, counts_of
from tests.faults.evidence import Evidence, Written
from tests.faults.verdict import Verdict, judge
from tests.streams.topology.fakes import ListCore

RECORDS = (b'[{"id":"a"},{"id":"b"}]', b'[{"id":"c"}]', b'[{"id":"a"}]', b'{"tick":"2026-01-01T00:00:00Z"}')


def chain_over(*records: bytes) -> Chain:
    """The chain over records."""
    chain = Chain()
    for record in records:
        chain = chain.and_then(record)
    return chain


def evidence(**changed: Any) -> Evidence:
    """Everything as it must be, but for what is `changed`."""
    sound: dict[str, Any] = {
        "expected": {"m1": frozenset({"a", "b"}), "m2": frozenset({"c"})},
        "quarantined": 0,
        "log": {0: {"a": 2, "b": 1}, 1: {"c": 1}},
        "log_chains": {0: chain_over(RECORDS[0]), 1: chain_over(RECORDS[1])},
        "applied": {0: {"a": 2, "b": 1}, 1: {"c": 1}},
        "applied_chains": {0: chain_over(RECORDS[0]), 1: chain_over(RECORDS[1])},
        "lists": {"p": [Written(frozenset("a")), Written(frozenset("ab"))]},
        "differences": [],
        "wanted": {"r": "one tablet"},
        "held": {"r": ["one tablet"]},
    }
    return Evidence(**sound | changed)


def test_nothing_wrong() -> None:
    """Sound evidence has no faults; a fact that came twice in the log and was applied twice is sound."""
    assert judge(evidence()) == Verdict()
    assert judge(evidence()).faults == 0


@pytest.mark.parametrize(
    ("planted", "name"),
    [
        ({"expected": {"m3": frozenset({"d"})}}, "messages_lost"),
        ({"quarantined": 1}, "quarantined"),
        ({"applied": {0: {"a": 1, "b": 1}, 1: {"c": 1}}}, "facts_lost"),
        ({"applied": {0: {"a": 2, "b": 1}}}, "facts_lost"),
        ({"applied": {0: {"a": 2, "b": 2}, 1: {"c": 1}}}, "facts_twice"),
        ({"applied_chains": {0: chain_over(*RECORDS[:2]), 1: chain_over(RECORDS[1])}}, "partitions_out_of_order"),
        ({"lists": {"p": [Written(frozenset("ab")), Written(frozenset("a"))]}}, "lists_stale"),
        ({"differences": [Difference("p", "list-differs")]}, "lists_wrong"),
        ({"held": {"r": ["half a tablet"]}}, "published_wrong"),
        ({"held": {}}, "published_wrong"),
        ({"held": {"r": ["one tablet", "one tablet"]}}, "published_twice"),
    ],
)
def test_what_is_planted_is_found(planted: dict[str, Any], name: str) -> None:
    """Each fault is counted once, under its name, and nothing else is."""
    verdict = judge(evidence(**planted))

    assert msgspec.to_builtins(verdict) | {"examples": {}} == msgspec.to_builtins(Verdict()) | {name: 1}


def test_what_never_ended_is_a_fault() -> None:
    """A process that is stuck and a message without an acknowledgement count."""
    assert judge(evidence(), stuck=1, unacknowledged=2).faults == 3


class TestCounting:
    """The core that is not idempotent."""

    def rows_after(self, *batches: list[bytes]) -> dict[bytes, bytes]:
        """The stored rows after batches, with a restart between each."""
        rows: dict[bytes, bytes] = {}
        for batch in batches:
            core = CountingCore(ListCore())
            core.load(rows)
            rows |= {key: value for key, value in core.apply(batch).rows.items() if value is not None}
        return rows

    def test_it_counts_every_application(self) -> None:
        """Facts are counted as often as they come; a tick counts as a record only."""
        rows = self.rows_after(list(RECORDS))

        assert counts_of(rows) == {"a": 2, "b": 1, "c": 1}
        assert chain_of(rows) == chain_over(*RECORDS)

    def test_restarts_change_nothing(self) -> None:
        """The counts go on from the stored rows."""
        assert self.rows_after([RECORDS[0]], list(RECORDS[1:])) == self.rows_after(list(RECORDS))

    @pytest.mark.parametrize("records", [RECORDS[1:], (*RECORDS, RECORDS[-1]), (RECORDS[1], RECORDS[0], *RECORDS[2:])])
    def test_a_record_lost_doubled_or_out_of_place_shows(self, records: tuple[bytes, ...]) -> None:
        """The chain is another then."""
        assert chain_of(self.rows_after(list(records))) != chain_over(*RECORDS)

    def test_the_real_core_keeps_its_rows(self) -> None:
        """What is stored of the core beside it is given back to it alone, and written as it decides."""
        inner = ListCore()
        core = CountingCore(inner)

        core.load({b"seen": b'["x"]', b"\x02chain": msgspec.json.encode(Chain(3, "x"))})
        rows = core.apply([RECORDS[1]]).rows

        assert inner.seen == ["x", RECORDS[1].decode()]
        assert msgspec.json.decode(rows[b"seen"] or b"") == inner.seen
        assert chain_of({b"\x02chain": rows[b"\x02chain"] or b""}).records == 4
