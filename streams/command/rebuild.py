"""``medlist rebuild``: the live state and lists against what the facts say."""

import gc
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from queue import Empty, Queue
from typing import Any, TypeVar

import click

from connectors.settings import Settings, load_settings
from connectors.telemetry import configure
from contracts.topics import LIST
from streams.command.cores import usable_cores
from streams.command.reconciling import core_factory, engine_settings, is_of
from streams.topology.rebuilding.comparing import Difference, hash_of
from streams.topology.rebuilding.differing import Differing
from streams.topology.rebuilding.partition import Place, Step, Verdict, verify
from streams.topology.rebuilding.progress import Progress
from streams.topology.rebuilding.switching import Switched, switch

_Done = TypeVar("_Done", Verdict, Switched, Differing)

WORKERS_PER_CORE = 2
"""While one reads, which is mostly waiting for the broker, another folds."""

GC_OBJECTS = 1_000_000
"""How many objects may come together before circles are looked for. What is folded together makes some 100,000 of those that can
be in circles and is let go as a whole, with hardly a circle in it."""

LOOK_SECONDS = 0.2
TELL_SECONDS = 2.0
SHOWN_DIFFERENCES = 50

_steps: "Queue[Step] | None" = None
"""In a worker process: where its steps are told."""


@click.command(short_help="Rebuild lists from the facts and compare them with the live ones.")
@click.option(
    "--verify", "way", flag_value="verify", default="verify", help="Write nothing: tell what differs. The default."
)
@click.option("--switch", "way", flag_value="switch", help="Write what differs into state and lists; see below.")
@click.option(
    "--workers", type=click.IntRange(1, 256), default=None, help="Processes. Default: two per core it may use."
)
@click.option("--partition", "only", type=click.IntRange(0), multiple=True, help="Only this partition; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="End with one JSON object.")
def rebuild(*, way: str, workers: int | None, only: tuple[int, ...], as_json: bool) -> None:
    """Build state and lists anew from medlist.fact.v1, in parallel, and hold them against the live ones, byte by byte.

    With --verify the running stream is not disturbed: committed records are read, in no group, up to where the live state is.
    Exit status 1 when anything differs. What differs is named by patient (pseudonym) and place, never by value.

    With --switch every row and list that differs is written, one transaction per partition, whatever the state held before.
    Stop the reconcilers first; they go on from there. The same command of another release switches to its rules, or back.
    """
    configure("warning")
    settings = load_settings(os.environ, {"kafka"})
    partitions = sorted(set(only)) or list(range(settings.partitions))
    if partitions[-1] >= settings.partitions:
        raise click.BadParameter(
            f"partitions are numbered from 0 to {settings.partitions - 1}", param_hint="--partition"
        )
    begun = time.monotonic()
    if way == "switch":
        switched = list(over_partitions(_switch_one, settings, partitions, workers))
        summary = switched_summary(switched, time.monotonic() - begun)
        click.echo("{rows:,} rows and {lists:,} lists written; start the reconcilers".format(**summary))
    else:
        verdicts = list(over_partitions(_verify_one, settings, partitions, workers))
        summary = summarised(verdicts, time.monotonic() - begun)
        show(summary, [one for verdict in verdicts for one in verdict.differences])
    if as_json:
        click.echo(json.dumps(summary, ensure_ascii=False))
    sys.exit(0 if summary.get("identical", True) else 1)


def over_partitions(
    work: Callable[[Settings, int], _Done], settings: Settings, partitions: Sequence[int], workers: int | None
) -> Iterator[_Done]:
    """Yield what `work` returns for each partition as it comes, telling progress on standard error. Raises as it does.

    `workers` is how many processes work; `None`: `WORKERS_PER_CORE`.
    """
    processes = workers or WORKERS_PER_CORE * usable_cores()
    context = get_context("fork")  # everything is imported; of a process that has no thread and no client of librdkafka
    steps: Queue[Step] = context.Queue()  # type: ignore[assignment]  # a queue of processes, with the same methods
    progress = Progress(partitions, time.monotonic())
    with ProcessPoolExecutor(min(processes, len(partitions)), context, _begin_worker, (steps,)) as pool:
        running: set[Future[_Done]] = {pool.submit(work, settings, number) for number in partitions}
        told_at = 0.0
        while running:
            finished, running = wait(running, LOOK_SECONDS, FIRST_COMPLETED)
            for future in finished:
                done = future.result()
                progress.done(done.number)
                yield done
            _take(steps, progress)
            if time.monotonic() - told_at >= TELL_SECONDS or not running:
                told_at = time.monotonic()
                click.echo(progress.text(told_at), err=True)


def place_of(settings: Settings, number: int) -> Place:
    """Return what a partition of this deployment is rebuilt with."""
    make = core_factory(settings)
    return Place(
        settings=engine_settings(settings),
        list_topic=settings.topic(LIST),
        number=number,
        fresh_core=lambda: make(number),
        is_mine=is_of(settings, number),
    )


def summarised(verdicts: Sequence[Verdict], seconds: float) -> dict[str, Any]:
    """Return the figures of all partitions together, ready for JSON."""
    rebuilt = {patient: one for verdict in verdicts for patient, one in verdict.list_hashes.items()}
    live = {patient: one for verdict in verdicts for patient, one in verdict.live_list_hashes.items()}
    differences = [one for verdict in verdicts for one in verdict.differences]
    faults = [one for one in differences if one.kind != "due"]
    facts = sum(verdict.facts for verdict in verdicts)
    return {
        "identical": not faults,
        "partitions": len(verdicts),
        "records": sum(verdict.records for verdict in verdicts),
        "facts": facts,
        "patients": sum(verdict.patients for verdict in verdicts),
        "seconds": round(seconds, 2),
        "facts_per_second": round(facts / seconds, 1) if seconds else 0.0,
        "hash": hash_of(rebuilt),
        "live_hash": hash_of(live),
        "differing_patients": len({one.patient for one in faults}),
        "due_patients": len({one.patient for one in differences if one.kind == "due"}),
        "by_kind": dict(sorted(Counter(one.kind for one in differences).items())),
    }


def switched_summary(switched: Sequence[Switched], seconds: float) -> dict[str, Any]:
    """Return the figures of all partitions together, ready for JSON."""
    facts = sum(one.facts for one in switched)
    return {
        "partitions": len(switched),
        "records": sum(one.records for one in switched),
        "facts": facts,
        "patients": sum(one.patients for one in switched),
        "rows": sum(one.rows for one in switched),
        "lists": sum(one.lists for one in switched),
        "seconds": round(seconds, 2),
        "facts_per_second": round(facts / seconds, 1) if seconds else 0.0,
    }


def show(summary: dict[str, Any], differences: Sequence[Difference]) -> None:
    """Print the verdict for people."""
    click.echo(
        f"{summary['facts']:,} facts of {summary['patients']:,} patients in {summary['partitions']} partitions rebuilt in"
        f" {summary['seconds']:.1f} s ({summary['facts_per_second']:,.0f} facts/s)"
    )
    for one in sorted(differences)[:SHOWN_DIFFERENCES]:
        click.echo(f"  {one.kind:13} {one.patient} {one.place}".rstrip())
    if len(differences) > SHOWN_DIFFERENCES:
        click.echo(f"  and {len(differences) - SHOWN_DIFFERENCES} more")
    if summary["due_patients"]:
        click.echo(f"{summary['due_patients']} lists are about to change by themselves and were not compared.")
    if summary["identical"]:
        click.echo(f"The live lists are identical, byte by byte: {summary['hash']}")
    else:
        click.echo(f"{summary['differing_patients']} patients differ: {summary['by_kind']}")


def _begin_worker(steps: "Queue[Step]") -> None:
    global _steps  # noqa: PLW0603 - what a process of the pool is given once
    _steps = steps
    gc.freeze()  # what was there before is not looked through again
    gc.set_threshold(GC_OBJECTS)
    configure("warning")


def _verify_one(settings: Settings, number: int) -> Verdict:
    return verify(place_of(settings, number), tell_step)


def _switch_one(settings: Settings, number: int) -> Switched:
    return switch(place_of(settings, number), tell_step)


def tell_step(step: Step) -> None:
    """Tell the process that the pool belongs to how far a partition is."""
    if _steps is not None:
        _steps.put(step)


def _take(steps: "Queue[Step]", progress: Progress) -> None:
    while True:
        try:
            progress.step(steps.get_nowait())
        except Empty:
            return
