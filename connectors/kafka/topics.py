"""Topics on the brokers against topics as declared: what differs, and making it right where that is safe.

Missing topics are created and settings are changed. The number of partitions is never changed: a patient's place depends
on it, so a difference there is only shown. Settings that we do not declare are left alone.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Final, TypeVar

import msgspec
from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # documented there, but not re-exported by its types
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from connectors.telemetry import CodedError, declare, get_logger
from contracts.topics import TopicSpec

EVENTS: Final = declare({"topic.created": "TOP-001", "topic.wrong": "TOP-002", "topic.changed": "TOP-003"})

ANSWER_SECONDS: Final = 30.0
LOOK_SECONDS: Final = 0.05
BROKERS_OWN_REPLICATION: Final = -1
"""Let the broker decide (`default.replication.factor`)."""

_log = get_logger()
_T = TypeVar("_T")


class ExistingTopic(msgspec.Struct, frozen=True):
    """A topic as the brokers have it; `settings` are all that apply, also the brokers' defaults. `led`: each partition is."""

    partitions: int
    settings: Mapping[str, str]
    led: bool = True


class Missing(msgspec.Struct, frozen=True):
    """The topic is not there."""

    spec: TopicSpec


class WrongPartitions(msgspec.Struct, frozen=True):
    """The topic has another number of partitions; nothing but a new topic mends that."""

    spec: TopicSpec
    found: int


class WrongSettings(msgspec.Struct, frozen=True):
    """Some settings differ: name to (declared, found); found is `None` where the broker does not know the setting."""

    spec: TopicSpec
    settings: Mapping[str, tuple[str, str | None]]


Difference = Missing | WrongPartitions | WrongSettings


def plan_topics(specs: Iterable[TopicSpec], existing: Mapping[str, ExistingTopic]) -> tuple[Difference, ...]:
    """Every difference between what is declared and what exists, in the order of the declarations. Pure."""
    differences: list[Difference] = []
    for spec in specs:
        found = existing.get(spec.name)
        if found is None:
            differences.append(Missing(spec))
            continue
        if found.partitions != spec.partitions:
            differences.append(WrongPartitions(spec, found.partitions))
        wrong = {
            name: (wanted, found.settings.get(name))
            for name, wanted in spec.settings.items()
            if found.settings.get(name) != wanted
        }
        if wrong:
            differences.append(WrongSettings(spec, wrong))
    return tuple(differences)


def describe_difference(difference: Difference) -> str:
    """One line for people."""
    match difference:
        case Missing(spec):
            return f"{spec.name}: missing ({spec.partitions} partitions)"
        case WrongPartitions(spec, found):
            return f"{spec.name}: has {found} partitions, must have {spec.partitions}; this cannot be changed"
        case WrongSettings(spec, settings):
            told = ", ".join(
                f"{name} is {found}, must be {wanted}" for name, (wanted, found) in sorted(settings.items())
            )
            return f"{spec.name}: {told}"


def read_topics(admin: AdminClient, names: Sequence[str]) -> dict[str, ExistingTopic]:
    """Those of `names` that exist, with their settings. Raises `CodedError` when no broker answers or refuses."""
    try:
        listed = admin.list_topics(timeout=ANSWER_SECONDS).topics
        present = [name for name in names if name in listed]
        if not present:
            return {}
        asked = admin.describe_configs(
            [ConfigResource(ResourceType.TOPIC, name) for name in present], request_timeout=ANSWER_SECONDS
        )
        settings = {resource.name: _settings(_answer(future)) for resource, future in asked.items()}
    except KafkaException as exc:
        raise _unanswered("the topics cannot be read", exc) from exc
    return {
        name: ExistingTopic(
            len(listed[name].partitions),
            settings[name],
            all(one.leader >= 0 for one in listed[name].partitions.values()),
        )
        for name in present
    }


def apply_differences(
    admin: AdminClient, differences: Iterable[Difference], *, replication: int = BROKERS_OWN_REPLICATION
) -> None:
    """Create what is missing and change settings that differ; return once a broker shows all of it.

    Raises `CodedError`: `TOP-101` for a wrong number of partitions, before anything is changed; `TOP-102` when a broker
    refuses, and then what was done before stays done: run it again; `TOP-103` when all was taken and does not show.
    """
    wanted = list(differences)
    wrong = [difference for difference in wanted if isinstance(difference, WrongPartitions)]
    if wrong:
        told = "; ".join(describe_difference(difference) for difference in wrong)
        raise CodedError(
            "TOP-101", told, "Make a new topic under a new name and rebuild into it, or correct the setting."
        )
    try:
        _create(admin, [difference.spec for difference in wanted if isinstance(difference, Missing)], replication)
        for difference in wanted:
            if isinstance(difference, WrongSettings):
                _change(admin, difference)
    except KafkaException as exc:
        raise _unanswered("the topics cannot be made right", exc) from exc
    _wait_until_shown(admin, [difference.spec for difference in wanted])


def _wait_until_shown(admin: AdminClient, specs: Sequence[TopicSpec]) -> None:
    """A cluster's controller takes a change before the broker that is asked next has heard of it, or leads the partitions."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while left := _not_shown(admin, specs):
        if time.monotonic() > deadline:
            detail = f"taken, and not there after {ANSWER_SECONDS:.0f} s: {'; '.join(left)}"
            raise CodedError("TOP-103", detail, "See that every broker is up and leads partitions, then run it again.")
        time.sleep(LOOK_SECONDS)


def _not_shown(admin: AdminClient, specs: Sequence[TopicSpec]) -> list[str]:
    if not specs:
        return []
    try:
        found = read_topics(admin, [spec.name for spec in specs])
    except CodedError as unread:  # of a topic as new as this a broker may also say that there is none
        return [unread.message]
    leaderless = [f"{name}: no leader" for name, topic in found.items() if not topic.led]
    return [*map(describe_difference, plan_topics(specs, found)), *leaderless]


def _create(admin: AdminClient, specs: Sequence[TopicSpec], replication: int) -> None:
    if not specs:
        return
    topics = [
        NewTopic(spec.name, num_partitions=spec.partitions, replication_factor=replication, config=dict(spec.settings))
        for spec in specs
    ]
    for name, future in admin.create_topics(topics, request_timeout=ANSWER_SECONDS).items():
        _answer(future)
        _log.info("topic.created", topic=name)


def _change(admin: AdminClient, difference: WrongSettings) -> None:
    entries = [
        ConfigEntry(name, wanted, incremental_operation=AlterConfigOpType.SET)
        for name, (wanted, _) in difference.settings.items()
    ]
    resource = ConfigResource(ResourceType.TOPIC, difference.spec.name, incremental_configs=entries)
    for future in admin.incremental_alter_configs([resource], request_timeout=ANSWER_SECONDS).values():
        _answer(future)
    _log.info("topic.changed", topic=difference.spec.name)


def _settings(entries: Mapping[str, Any]) -> dict[str, str]:
    return {name: entry.value for name, entry in entries.items() if entry.value is not None}


def _answer(future: "Future[_T]") -> _T:
    return future.result(timeout=ANSWER_SECONDS)


def _unanswered(what: str, exc: KafkaException) -> CodedError:
    error = exc.args[0]
    return CodedError(
        "TOP-102",
        f"{what}: {error.name()}: {error.str()}",
        "Check the brokers' address, the login, and the rights on topics.",
    )
