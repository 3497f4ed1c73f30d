"""FHIR: how fast lists become Bundles and prescriptions resources, what checking them costs, and the independent validator.

`make bench BENCH=fhir` writes `build/bench/fhir.json`. BENCH_PATIENTS sets how many simulated patients (100 unless set). The
share of `fhir.resources` is its part of all the time it takes to make, write and check, with as few checked as in service.
"""

import inspect
import os
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from contracts.fact import Fact
from contracts.medication_list import MedicationList, StandingPrescription, encode_list
from mappings.fhir.exact_json import JsonObject, write_json
from mappings.fhir.medication_request import KnownPatient, Terms, medication_request
from mappings.fhir.regional import Edition, list_version, regional_bundle
from mappings.fhir.validation import fhir_problems
from streams.command.knowledge import reconciler
from streams.publish.execute import Executor
from streams.reconcile.population import lists
from streams.simulate.world import simulate
from streams.topology.listing.limits import ListingLimits
from tests.benchmarks._results import machine, percentiles, write
from tests.contracts.fhir.good import REQUEST
from tests.fhir_validator.built import ValidatorUnavailableError
from tests.fhir_validator.validator import running

PATIENTS: Final = int(os.environ.get("BENCH_PATIENTS", "100"))
SEED: Final = 20261122
AT: Final = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)
CHECKED: Final = 40
"""As many Bundles are given to the two validators."""


def simulated_lists(patients: int) -> list[MedicationList]:
    """The lists of simulated patients, a day after their last fact."""
    facts: list[Fact] = [fact for index in range(patients) for fact in simulate(SEED, index).facts]
    last = max(fact.received_at for fact in facts)
    return list(lists(facts, reconciler(), last + timedelta(days=1)))


def bundle_of(one: MedicationList) -> JsonObject:
    """A list as it is put out."""
    return regional_bundle(one, Edition(version=list_version(encode_list(one)), put_out_at=AT))


def request_of(standing: StandingPrescription) -> object:
    """A prescription as it is sent."""
    return medication_request(standing, Terms(subject=KnownPatient("p-1")))


def publisher_share() -> float:
    """The share of its writes that the publisher shows to `fhir.resources` unless told otherwise."""
    return float(inspect.signature(Executor).parameters["validated"].default)


def timed(work: Callable[[Any], object], things: Sequence[Any]) -> list[float]:
    """Milliseconds of the processor for the work on each thing: what else the machine does is left out."""
    found = []
    for thing in things:
        before = time.process_time_ns()
        work(thing)
        found.append((time.process_time_ns() - before) / 1e6)
    return found


def figures(made_ms: Sequence[float], written_ms: Sequence[float], resources: int) -> dict[str, Any]:
    """Making and writing: how many a second, and how long one takes."""
    seconds = (sum(made_ms) + sum(written_ms)) / 1000
    return {
        "count": len(made_ms),
        "per_second": round(len(made_ms) / seconds, 1),
        "resources_per_second": round(resources / seconds),
        "make_and_write_ms": percentiles([made + written for made, written in zip(made_ms, written_ms, strict=True)]),
    }


def share_of_checking(own_ms: Sequence[float], check_ms: Sequence[float], share: float) -> dict[str, Any]:
    """What part of the time goes into `fhir.resources`, with a share of things checked, and if all were."""
    own, check = sum(own_ms) / len(own_ms), sum(check_ms) / len(check_ms)
    return {
        "checked_share": share,
        "check_ms": percentiles(check_ms),
        "share_of_time": round(check * share / (own + check * share), 4),
        "share_of_time_if_all_were": round(check / (own + check), 4),
    }


def measure_bundles(found: Sequence[MedicationList]) -> tuple[dict[str, Any], list[bytes]]:
    """Lists to Bundles; the figures, and some Bundles."""
    for one in found[:CHECKED]:
        write_json(bundle_of(one))  # warm
    made_ms = timed(bundle_of, found)
    bundles = [bundle_of(one) for one in found]
    written_ms = timed(write_json, bundles)
    written = [write_json(one) for one in bundles]
    fhir_problems(bundles[0])  # its models are imported when they are first asked for
    check_ms = timed(fhir_problems, bundles[:CHECKED])
    own_ms = [made + wrote for made, wrote in zip(made_ms, written_ms, strict=True)]
    told = figures(made_ms, written_ms, sum(len(one["entry"]) for one in bundles)) | {
        "bytes": percentiles([len(one) for one in written]),
        "bytes_over_list": round(sum(map(len, written)) / sum(len(encode_list(one)) for one in found), 2),
        "fhir_resources": share_of_checking(own_ms, check_ms, ListingLimits().checked_share),
    }
    return told, written[:CHECKED]


def measure_requests(found: Iterable[MedicationList]) -> tuple[dict[str, Any], list[bytes]]:
    """Prescriptions to NLL-style resources; the figures, and some of them."""
    standing = [one for each in found for item in each.items for one in item.prescriptions]
    expressible = [one for one in standing if isinstance(request_of(one), dict)]
    made_ms = timed(request_of, expressible)
    resources: list[Any] = [request_of(one) for one in expressible]
    written_ms = timed(write_json, resources)
    check_ms = timed(fhir_problems, resources[:500])
    own_ms = [made + wrote for made, wrote in zip(made_ms, written_ms, strict=True)]
    told = figures(made_ms, written_ms, len(resources)) | {
        "not_expressible": len(standing) - len(expressible),
        "fhir_resources": share_of_checking(own_ms, check_ms, publisher_share()),
    }
    return told, [write_json(one) for one in resources[:500]]


def measure_validator(bundles: Sequence[bytes], requests: Sequence[bytes]) -> dict[str, Any]:
    """The independent validator: how long it takes to start, how many a second, how many errors."""
    before = time.perf_counter()
    with running() as validator:
        started = time.perf_counter() - before
        validator.errors(bundles[0])  # warm
        errors = 0
        began = time.perf_counter()
        for one in requests:
            errors += len(validator.errors(one, REQUEST))
        middle = time.perf_counter()
        for one in bundles:
            errors += len(validator.errors(one))
        ended = time.perf_counter()
    return {
        "start_s": round(started, 1),
        "requests_per_second": round(len(requests) / (middle - began), 1),
        "bundles_per_second": round(len(bundles) / (ended - middle), 2),
        "errors": errors,
    }


def main() -> None:
    """Measure, print, write."""
    before = machine()
    found = simulated_lists(PATIENTS)
    bundles, some_bundles = measure_bundles(found)
    requests, some_requests = measure_requests(found)
    try:
        validator: dict[str, Any] = measure_validator(some_bundles, some_requests)
    except ValidatorUnavailableError as unavailable:
        validator = {"unavailable": str(unavailable)}
    path = write("fhir", {"bundles": bundles, "nll_requests": requests, "independent_validator": validator}, before)
    for name, told in (("Bundles", bundles), ("NLL requests", requests)):
        share = told["fhir_resources"]["share_of_time"]
        print(
            f"  {name}: {told['per_second']:.0f}/s, {told['resources_per_second']} resources/s,"
            f" p99 {told['make_and_write_ms']['p99']} ms, fhir.resources {share:.1%} of the time"
        )
    print(f"  independent validator: {validator}")
    print(f"  {path}")


if __name__ == "__main__":
    main()
