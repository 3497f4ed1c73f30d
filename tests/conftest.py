"""What every test may ask for: a real Kafka, a broker of its own to break, topics of its own, an independent validator."""

import os
import resource
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NoReturn

import pytest
from aiohttp import web
from hypothesis import HealthCheck, settings

from connectors.nll_sandbox import SandboxSettings, serving
from connectors.nll_sandbox.app import create_app
from tests.fhir_validator.built import ValidatorUnavailableError
from tests.fhir_validator.validator import FhirValidator, running
from tests.kafka.broker import LocalKafka
from tests.kafka.found import some_broker
from tests.kafka.libraries import BrokerUnavailableError
from tests.kafka.topics import create_topics
from tests.published import collector

# Each run of `make test` tries the same examples; HYPOTHESIS_PROFILE=long tries more, and new ones each time; brief is
# for mutants, where each of thousands runs the tests. How long it takes to draw examples decides nothing.
untimed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("brief", untimed, max_examples=8, derandomize=True, database=None)
settings.register_profile("short", untimed, max_examples=40, derandomize=True, database=None)
settings.register_profile("long", untimed, max_examples=1000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))

# A test that runs away ends in a MemoryError of its own, not in the death of whatever else the machine does.
_MEMORY_BYTES = 6 * 1024**3


def pytest_configure() -> None:
    """Limit the memory of the run."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = _MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(hard, _MEMORY_BYTES)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where tests run in several processes, let all that use the validator run in one: there is one validator then."""
    for item in items:
        if "fhir_validator" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("fhir_validator"))


@pytest.fixture(scope="session", autouse=True)
def _published() -> Iterator[None]:
    """Whatever our client sends to a sandbox of any test is collected, to be validated at the end (`tests/published.py`)."""

    def watched(settings: SandboxSettings) -> web.Application:
        app = create_app(settings)
        app.middlewares.insert(0, collector.passing)
        return app

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(serving, "create_app", watched)
        yield


def _no_broker(reason: str) -> NoReturn:
    """A laptop may do without a broker; CI must not, or delivery would go unproven without anybody noticing."""
    if os.environ.get("CI"):
        pytest.fail(f"no Kafka to test on: {reason}")
    pytest.skip(f"no Kafka to test on: {reason}")


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Apache Kafka that all tests of the run share; use `topic_prefix` on it."""
    directory = tmp_path_factory.mktemp("kafka") / "broker"
    try:
        with some_broker(directory, os.environ.get("MEDLIST_KAFKA")) as broker:
            yield broker.bootstrap
    except BrokerUnavailableError as unavailable:
        _no_broker(str(unavailable))


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[LocalKafka]:
    """A running broker of this test alone, to be stopped, killed and frozen; takes some seconds to start."""
    try:
        with LocalKafka(tmp_path / "broker") as broker:
            yield broker
    except BrokerUnavailableError as unavailable:
        _no_broker(str(unavailable))


@pytest.fixture(scope="session")
def fhir_validator() -> Iterator[FhirValidator]:
    """An independent FHIR R4 validator with our definitions, one process for the run; mark tests with it as slow."""
    try:
        with running() as validator:
            yield validator
    except ValidatorUnavailableError as unavailable:
        if os.environ.get("CI"):
            pytest.fail(f"no validator to test with: {unavailable}")
        pytest.skip(f"no validator to test with: {unavailable}")


@pytest.fixture
def topic_prefix() -> str:
    """A prefix for topic, group and transaction names that no other test uses."""
    return f"t{uuid.uuid4().hex[:10]}."


@pytest.fixture
def make_topics(kafka: str, topic_prefix: str) -> Callable[[Mapping[str, int]], dict[str, str]]:
    """A function that creates topics (name -> partitions) under this test's prefix: returns name -> name with prefix."""

    def make(topics: Mapping[str, int]) -> dict[str, str]:
        names = {name: f"{topic_prefix}{name}" for name in topics}
        create_topics(kafka, {names[name]: count for name, count in topics.items()})
        return names

    return make
