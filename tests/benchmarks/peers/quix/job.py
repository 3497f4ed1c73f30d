"""The job in Quix Streams, exactly once: RocksDB state with a changelog, as its documentation has it."""

# mypy: ignore-errors
# Its library lives in an environment of its own.

import json
import sys

from quixstreams import Application, State


def merge(value: bytes, state: State) -> list[dict[str, object]]:
    """The newest version of each fact; one result per patient of the record."""
    decoded = json.loads(value)
    facts = decoded if isinstance(decoded, list) else [decoded]
    dirty: dict[str, dict[str, object]] = {}
    for fact in facts:
        patient = fact["patient"]
        known = dirty.get(patient)
        if known is None:
            known = dirty[patient] = state.get(patient) or {}
        before = known.get(fact["fact_key"])
        if before is None or before["version"] < fact["version"]:
            known[fact["fact_key"]] = fact
    for patient, known in dirty.items():
        state.set(patient, known)
    return [{"patient": patient} for patient in dirty]


def main() -> None:
    """Run until killed."""
    kafka, prefix, state_dir = sys.argv[1:]
    app = Application(
        broker_address=kafka,
        consumer_group=f"{prefix}group",
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        commit_interval=1.0,
        state_dir=state_dir,
        auto_create_topics=True,
    )
    facts = app.topic(f"{prefix}fact", value_deserializer="bytes", key_deserializer="bytes")
    results = app.topic(f"{prefix}out", value_serializer="json", key_serializer="str")
    frame = app.dataframe(facts).apply(merge, stateful=True, expand=True)
    frame.to_topic(results, key=lambda result: result["patient"])
    app.run()


if __name__ == "__main__":
    main()
