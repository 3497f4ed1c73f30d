"""Putting a rebuilt partition in the place of the live one: what differs is written, all of it in one transaction.

The topics stay the same, so no reader has to be told; only what differs is written, so no reader sees a list that did not
change. The owner of the partition is shut out first, as by any newer owner: it ends with status 70, and its restart goes on
from what is written here. Should it come back before we are done, we are shut out instead, and nothing was written.
"""

import time

import msgspec

from streams.topology.core import Send
from streams.topology.position import POSITION_KEY, Position, checksum
from streams.topology.rebuilding.comparing import compare
from streams.topology.rebuilding.partition import Place, Rebuild, Tell, rows_by_patient
from streams.topology.rebuilding.reading import end_of_facts, newest_lists, state_rows
from streams.topology.reconciling.core import CLOCK_ROW
from streams.topology.restore import read_topic_id
from streams.topology.writer import Changes, TransactionalWriter

TRANSACTION_SECONDS = 600.0
"""The longest that writing one partition may take; brokers allow 900 s at most unless told otherwise."""


class Switched(msgspec.Struct, frozen=True, kw_only=True):
    """What was written for one partition."""

    number: int
    records: int
    facts: int
    patients: int
    rows: int
    lists: int
    seconds: float


def switch(place: Place, tell: Tell) -> Switched:
    """Rebuild a partition from all facts, and write every row and list that differs, with the position at the end of them.

    Whatever stood in the state topic counts for nothing, be it empty, damaged or of other rules. Raises `EngineError`: facts
    are gone, or another owner came (stop the reconcilers); `KafkaException`, `TimeoutError`.
    """
    started = time.monotonic()
    limits = msgspec.structs.replace(place.settings.limits, transaction_seconds=TRANSACTION_SECONDS)
    writer = TransactionalWriter(msgspec.structs.replace(place.settings, limits=limits), place.number)
    try:
        writer.fence()
        rebuild = Rebuild(place, tell)
        rebuild.read_to(end_of_facts(place.settings, place.number))
        changes = differing(place, rebuild)
        writer.write(changes)
    finally:
        writer.close()
    return Switched(
        number=place.number,
        records=rebuild.records,
        facts=rebuild.facts,
        patients=len(rebuild.patients),
        rows=len(changes.rows),
        lists=len(changes.sends),
        seconds=time.monotonic() - started,
    )


def differing(place: Place, rebuild: Rebuild) -> Changes:
    """Return what must be written so that the live side is the rebuilt one; null for rows and lists without facts."""
    live_rows = state_rows(place.settings, place.number)
    live_rows.pop(POSITION_KEY, None)
    live_clock = live_rows.pop(CLOCK_ROW, None)
    live_lists = newest_lists(place.settings, place.list_topic, place.number)
    by_patient = rows_by_patient(live_rows)
    rows: dict[bytes, bytes | None] = dict.fromkeys(live_rows)
    sends: list[Send] = []
    for patient, folded in rebuild.fold(rebuild.patients):
        theirs = by_patient.get(patient, {})
        is_equal = not compare(patient, folded, theirs, live_lists.get(patient), rebuild.at)
        for key, value in folded.rows.items():
            if is_equal or theirs.get(key) == value:
                rows.pop(key, None)
            else:
                rows[key] = value
        if folded.medication_list and live_lists.get(patient) != folded.medication_list:
            sends.append(Send(place.list_topic, patient.encode(), folded.medication_list))
    orphans = live_lists.keys() - set(rebuild.patients)
    sends += [Send(place.list_topic, patient.encode(), None) for patient in sorted(orphans)]
    if rebuild.records and live_clock != rebuild.clock:
        rows[CLOCK_ROW] = rebuild.clock
    position = Position(
        next_offset=rebuild.records,
        checksum=checksum(rebuild.last_record) if rebuild.records else None,
        topic_id=read_topic_id(place.settings, place.settings.fact_topic),
    )
    return Changes(rows=rows, sends=sends, position=position)
