"""Reading an endpoint that fails in every way the sandbox can: nothing is lost, nothing comes as something else."""

from itertools import pairwise

import pytest
from aiohttp import web
from pydantic import SecretStr

from connectors.nll_sandbox.settings import TEST_CLIENTS
from connectors.settings import Settings
from tests.streams.publish.cases import line, standing, the_list
from tests.streams.topology.nll_source.wire import dispense, facts, messages, prescription, reading, seed, watermark
from tests.streams.topology.publisher.wire import Endpoint, eventually, send

pytestmark = pytest.mark.slow

CLIENT = "medlist"
WAIT_SECONDS = 2
EMPTY = {"resourceType": "Bundle", "type": "searchset", "total": 0}
ALL = {
    "latency": {"probability": 0.2, "seconds": 0.01},
    "too_many_requests": {"probability": 0.1, "retry_after": 0},
    "server_error": {"probability": 0.15},
    "expire_token": {"probability": 0.1},
}


@pytest.fixture
def settings(settings: Settings, endpoint: Endpoint) -> Settings:
    """With tokens that are asked for, and expire."""
    credentials = {"nll_client_id": CLIENT, "nll_client_secret": SecretStr(TEST_CLIENTS[CLIENT].secret)}
    return settings.model_copy(update=credentials | {"nll_token_url": f"{endpoint.door.base}/oauth2/token"})


def switch(endpoint: Endpoint, **switches: object) -> None:
    """These faults from now on."""
    endpoint.admin("POST", "faults", {"seed": 4, "switches": switches})


def struck(endpoint: Endpoint) -> set[str]:
    """The faults that have struck."""
    return set(endpoint.admin("GET", "faults")["struck"])


@pytest.mark.parametrize("name", [*ALL, "all"])
def test_everything_comes_among_faults(settings: Settings, endpoint: Endpoint, name: str) -> None:
    """Each by itself and all at once: two versions of a prescription and a dispensing, and no problem in any of them."""
    chosen = ALL if name == "all" else {name: ALL[name] | {"probability": 0.3}}
    switch(endpoint, **chosen)
    seed(endpoint, prescription("f-7001"))
    send(settings, the_list(line(standing())))

    with reading(settings, token=None):
        eventually(lambda: len(messages(settings)) == 1, "the prescription comes")
        seed(endpoint, prescription("f-7001", status="stopped"), dispense("u-1", "f-7001"))
        eventually(lambda: len(messages(settings)) == 3, "version and dispensing come")
        eventually(lambda: struck(endpoint) >= chosen.keys(), "every fault has struck")

    assert {(one.source_id, one.version) for one in facts(settings)} == {("f-7001", 1), ("f-7001", 2), ("u-1", 1)}


def test_a_wait_that_the_endpoint_asks_for_is_kept(settings: Settings, endpoint: Endpoint) -> None:
    """After a 429 with Retry-After nobody is asked for that long."""
    switch(endpoint, too_many_requests={"probability": 1.0, "retry_after": WAIT_SECONDS})
    send(settings, the_list(line(standing())))

    with reading(settings, token=None):
        eventually(lambda: struck(endpoint) == {"too_many_requests"}, "it is refused")
        switch(endpoint)
        seed(endpoint, prescription("f-7001"))
        eventually(lambda: len(messages(settings)) == 1, "the prescription comes")

    told = [one for one in endpoint.door.requests if not one.endswith("/token")]
    assert told[:2] == ["POST /Patient/_search", "POST /Patient/_search"]
    came = zip(endpoint.door.requests, endpoint.door.came, strict=True)
    searches = [at for one, at in came if one == "POST /Patient/_search"]
    assert all(later - earlier >= WAIT_SECONDS for earlier, later in pairwise(searches))


def test_a_copy_that_lags_behind_is_caught_up_with(settings: Settings, endpoint: Endpoint) -> None:
    """It tells the new list version with the old resources, once: the new ones come all the same, and only they."""
    seed(endpoint, prescription("f-7001"))
    send(settings, the_list(line(standing())))

    with reading(settings, token=None):
        eventually(lambda: (mark := watermark(settings)) is not None and mark.confirmed, "it is read")
        endpoint.door.reads["/MedicationDispense"] = [web.json_response(EMPTY)]
        seed(endpoint, dispense("u-1", "f-7001"))
        eventually(lambda: len(messages(settings)) == 2, "everything is there")
        eventually(lambda: (mark := watermark(settings)) is not None and mark.confirmed, "it is read again")

    assert endpoint.door.reads["/MedicationDispense"] == []
    assert [one.source_id for one in facts(settings)] == ["f-7001", "u-1"]


def test_old_answers_go_back_to_nothing(settings: Settings, endpoint: Endpoint) -> None:
    """While reads show the list as before its last write no version comes twice, and none after a newer one."""
    seed(endpoint, prescription("f-7001"))
    send(settings, the_list(line(standing())))

    with reading(settings, token=None):
        eventually(lambda: len(messages(settings)) == 1, "it is read")
        seed(endpoint, prescription("f-7001", status="stopped"))
        eventually(lambda: len(messages(settings)) == 2, "the next version is read")
        switch(endpoint, stale_read={"probability": 0.5})
        seen = len(endpoint.door.requests)
        eventually(lambda: len(endpoint.door.requests) > seen + 20, "it is looked again and again")
        assert struck(endpoint) == {"stale_read"}

    assert [one.version for one in facts(settings)] == [1, 2]
