"""One deployment of medlist on a broker: topics under a prefix of its own, and each role as the process that runs it."""

import json
import os
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AdminClient

from connectors.kafka.topics import apply_differences, plan_topics, read_topics
from connectors.nll_sandbox.settings import TEST_CLIENTS
from connectors.settings import Settings, load_settings
from streams.command.composition import Composition, Role
from tests.system.process import DEADLINE_SECONDS, POLL_SECONDS, Process

CLIENT = "medlist"
PSEUDONYM_KEY = "a-key-of-tests-and-benchmarks-that-protects-nobody"
PARTITIONS = 4


class Medlist:
    """Everything that one deployment needs; nothing runs until `role` starts it."""

    def __init__(self, kafka: str, directory: Path, *, partitions: int = PARTITIONS, nll: str | None = None) -> None:
        self.directory = directory
        prefix = f"s{uuid.uuid4().hex[:8]}."
        told = {
            "KAFKA": kafka,
            "TOPIC_PREFIX": prefix,
            "PSEUDONYM_KEY": PSEUDONYM_KEY,
            "PARTITIONS": str(partitions),
            "INTAKE_GROUP": f"{prefix}intake",
            "RECONCILER_GROUP": f"{prefix}reconciler",
            "PUBLISHER_GROUP": f"{prefix}publisher",
            "LISTING_GROUP": f"{prefix}listing",
        }
        if nll is not None:
            told |= {
                "NLL_BASE_URL": nll,
                "NLL_TOKEN_URL": f"{nll}/oauth2/token",
                "NLL_CLIENT_ID": CLIENT,
                "NLL_CLIENT_SECRET": TEST_CLIENTS[CLIENT].secret,
            }
        self.variables = {f"MEDLIST_{name}": value for name, value in told.items()}
        self.composition = Composition(settings=load_settings(self.variables))

    @property
    def settings(self) -> Settings:
        """How this deployment is reached."""
        return self.composition.settings

    def create_topics(self) -> None:
        """Create every topic, and wait until clients can see them."""
        admin = AdminClient(self.settings.kafka_client())
        wanted = self.composition.topics
        names = [spec.name for spec in wanted]
        apply_differences(admin, plan_topics(wanted, {}))
        deadline = time.monotonic() + DEADLINE_SECONDS
        while plan_topics(wanted, read_topics(admin, names)):
            if time.monotonic() > deadline:
                raise TimeoutError("the topics are not there")
            time.sleep(POLL_SECONDS)

    def delete_topics(self) -> None:
        """Delete every topic: a broker that many tests share does not keep them."""
        names = [spec.name for spec in self.composition.topics]
        admin = AdminClient(self.settings.kafka_client())
        for future in admin.delete_topics(names).values():
            future.result(DEADLINE_SECONDS)

    def role(self, role: Role, *, name: str | None = None, **variables: str) -> Process:
        """Start a role; `name` is the one that it keeps over restarts, `variables` further settings (`WATCHDOG_SECONDS`)."""
        own = {f"MEDLIST_{key}": value for key, value in variables.items()}
        if name is not None:
            own["MEDLIST_INSTANCE_ID"] = name
        command = [sys.executable, "-m", "streams.command", "run", role]
        return Process(command, self.directory / f"{name or role}.log", os.environ | self.variables | own)


class Sandbox:
    """A running sandbox of NLL; `url` is its address."""

    def __init__(self, process: Process, url: str) -> None:
        self.process = process
        self.url = url

    def ask(self, path: str) -> Any:
        """The answer of one of the sandbox's own addresses."""
        return self._answer(urllib.request.Request(f"{self.url}/_sandbox/{path}"))  # noqa: S310 - http, ours

    def tell(self, path: str, order: Mapping[str, object]) -> Any:
        """Post an order to one of the sandbox's own addresses."""
        request = urllib.request.Request(f"{self.url}/_sandbox/{path}", json.dumps(order).encode())  # noqa: S310 - http, ours
        return self._answer(request)

    def _answer(self, request: urllib.request.Request) -> Any:
        with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS) as answer:  # noqa: S310 - http, ours
            return json.load(answer)


@contextmanager
def sandbox(directory: Path) -> Iterator[Sandbox]:
    """A sandbox of NLL as a process of its own."""
    with Process([sys.executable, "-m", "connectors.nll_sandbox", "--port", "0"], directory / "sandbox.log") as process:
        yield Sandbox(process, address_of(process))


def address_of(process: Process) -> str:
    """Where a sandbox answers, waited for."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        found = next((line["url"] for line in process.lines() if "url" in line), None)
        if found is not None:
            return str(found)
        process.require_alive()
        time.sleep(POLL_SECONDS)
    raise TimeoutError(process.tail())
