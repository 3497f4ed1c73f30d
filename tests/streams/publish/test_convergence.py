"""Every fault switch of the sandbox at random: the lists are reached all the same, and nothing is written needlessly."""

import asyncio
from collections.abc import Iterable
from typing import Any

import msgspec

from connectors.nll.client import Endpoint, NllClient
from connectors.nll.requests import Identity
from connectors.nll.tokens import ClientCredentials, Credentials
from contracts.publication import Link
from mappings.fhir.elements import identifiers
from mappings.fhir.exact_json import JsonObject, read_json
from mappings.fhir.validation import fhir_problems
from mappings.fhir.vocabulary import RECORD
from streams.publish.execute import Executor
from streams.publish.look import Certainty
from streams.publish.writes import Writes
from tests.streams.publish.cases import NOW, POLICY, There, job
from tests.streams.publish.population import expected, history

PATIENTS, CHANGES, PARALLEL, SEED = 24, 10, 6, 20261122
ATTEMPTS_MOST = 60
SWITCHES = {
    "latency": {"probability": 0.1, "seconds": 0.005},
    "too_many_requests": {"probability": 0.05, "retry_after": 0},
    "server_error": {"probability": 0.05},
    "expire_token": {"probability": 0.03},
    "version_conflict": {"probability": 0.1},
    "stale_read": {"probability": 0.1},
    "drop_after_commit": {"probability": 0.1},
    "error_after_commit": {"probability": 0.1},
}


async def test_the_lists_are_reached_through_every_fault(there: There) -> None:
    """0 lost, 0 duplicated, 0 older states over newer, 0 writes without clinical change, by the sandbox's own log."""
    await _admin(there, "POST", "faults", {"seed": SEED, "switches": SWITCHES})
    executor = Executor(_client(there), POLICY, lambda: NOW)
    queue = asyncio.Queue[int]()
    for number in range(PATIENTS):
        queue.put_nowait(number)

    await asyncio.gather(*(_work(executor, queue) for _ in range(PARALLEL)))

    struck = (await _admin(there, "GET", "faults"))["struck"]
    summary = (await _admin(there, "GET", "audit?limit=1"))["summary"]
    contents = await _admin(there, "GET", "contents")
    assert struck.keys() == SWITCHES.keys()
    assert summary["versions_without_clinical_change"] == 0
    assert summary["duplicates"] == {"living": 0, "ever": 0}
    assert _held(contents.values()) == _asked()
    assert [problem for one in contents.values() for rx in one for problem in fhir_problems(rx)] == []


async def _work(executor: Executor, queue: "asyncio.Queue[int]") -> None:
    while not queue.empty():
        known: tuple[Link, ...] = ()
        writes = Writes()
        certainty: Certainty = "unseen"
        for turn, wish in enumerate(history(queue.get_nowait(), CHANGES, SEED)):
            for _ in range(ATTEMPTS_MOST):
                attempt = await executor.attempt(job(wish, f"h{turn}", known=known, certainty=certainty, writes=writes))
                assert attempt.state != "parked", attempt.problems
                writes = writes if attempt.writes is None else attempt.writes
                certainty = "unknown" if attempt.state == "failing" else "settled"
                if certainty == "settled":
                    known = attempt.links
                    break
            else:
                raise AssertionError("not published")


def _asked() -> dict[str, tuple[str, str]]:
    asked: dict[str, tuple[str, str]] = {}
    for number in range(PATIENTS):
        *_, last = history(number, CHANGES, SEED)
        asked |= expected(last)
    return asked


def _held(patients: Iterable[list[JsonObject]]) -> dict[str, tuple[str, str]]:
    held: dict[str, tuple[str, str]] = {}
    for resources in patients:
        for one in resources:
            if one["status"] in {"active", "on-hold", "completed"}:
                record = identifiers(one, RECORD)[0]
                held[record] = (one["status"], one["dosageInstruction"][0]["patientInstruction"])
    return held


def _client(there: There) -> NllClient:
    credentials = Credentials(
        url=f"{there.base}/oauth2/token", client_id="medlist", client_secret="medlist-test-secret"
    )
    identity = Identity(org_info="o", user_agent="medlist/test")
    tokens = ClientCredentials(there.session, credentials, asyncio.get_running_loop().time)
    return NllClient(there.session, Endpoint(base_url=there.base, identity=identity, timeout_seconds=10.0), tokens)


async def _admin(there: There, method: str, path: str, body: object = None) -> Any:
    data = None if body is None else msgspec.json.encode(body)
    async with there.session.request(method, f"{there.base}/_sandbox/{path}", data=data) as answer:
        assert answer.status == 200
        return read_json(await answer.read())
