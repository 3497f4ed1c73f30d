"""The job in plain faust with a Table, at least once: memory store, changelog, one write per patient of a record."""

import json
import sys
from typing import Any

import faust


def main() -> None:
    """Run until killed."""
    kafka, prefix, data = sys.argv[1:]
    app = faust.App(
        f"{prefix}group",
        broker=f"kafka://{kafka}",
        store="memory://",
        processing_guarantee="at_least_once",
        topic_allow_declare=False,
        topic_disable_leader=True,
        topic_partitions=4,
        web_enabled=False,
        autodiscover=False,
        datadir=data,
    )
    facts = app.topic(f"{prefix}fact", key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
    results = app.topic(f"{prefix}out", key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
    table = app.Table("patients", default=dict, partitions=4)

    @app.agent(facts)  # type: ignore[untyped-decorator]  # faust's
    async def merge(stream: Any) -> None:
        async for event in stream.events():
            decoded = json.loads(event.value)
            dirty: dict[str, dict[str, Any]] = {}
            for fact in decoded if isinstance(decoded, list) else [decoded]:
                known = dirty.setdefault(fact["patient"], dict(table[fact["patient"]]))
                before = known.get(fact["fact_key"])
                if before is None or before["version"] < fact["version"]:
                    known[fact["fact_key"]] = fact
            for patient, known in dirty.items():
                table[patient] = known
                await results.send(key=patient.encode(), value=b"{}", partition=event.message.partition)

    faust.Worker(app, loglevel="warning", quiet=True).execute_from_commandline()


if __name__ == "__main__":
    main()
