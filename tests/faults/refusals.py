"""What brokers can refuse: writes to a topic, for want of rights, of in-sync replicas or of size; and a full disk."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from confluent_kafka.admin import (  # type: ignore[attr-defined]  # documented there, but not re-exported by its types
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourcePatternType,
    ResourceType,
)

from tests.kafka.broker import LocalKafka

ANSWER_SECONDS: Final = 30.0
EVERYBODY: Final = "User:*"
ANYWHERE: Final = "*"
NO_BYTES: Final = 0


@contextmanager
def writes_denied(admin: AdminClient, topic: str) -> Iterator[None]:
    """Nobody may write to the topic; what else is done with it may be done."""
    rights = [
        AclBinding(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, EVERYBODY, ANYWHERE, operation, permission)
        for operation, permission in (
            (AclOperation.ALL, AclPermissionType.ALLOW),
            (AclOperation.WRITE, AclPermissionType.DENY),
        )
    ]
    for future in admin.create_acls(rights).values():
        future.result(ANSWER_SECONDS)
    try:
        yield
    finally:
        gone = AclBindingFilter(
            ResourceType.TOPIC,
            topic,
            ResourcePatternType.LITERAL,
            EVERYBODY,
            ANYWHERE,
            AclOperation.ANY,
            AclPermissionType.ANY,
        )
        for future in admin.delete_acls([gone]).values():
            future.result(ANSWER_SECONDS)


@contextmanager
def set_wrong(admin: AdminClient, topic: str, name: str, value: str) -> Iterator[None]:
    """A setting of the topic is wrong for a while, then the brokers' own again."""
    _alter(admin, topic, ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET))
    try:
        yield
    finally:
        _alter(admin, topic, ConfigEntry(name, None, incremental_operation=AlterConfigOpType.DELETE))


def fill_the_disk_of(broker: LocalKafka) -> None:
    """Every write of the broker that would lengthen a file fails from now on, as on a full disk.

    By the limit of the process on the size of its files: the error is `EFBIG` where a full disk says `ENOSPC`; the broker
    handles both alike, as a directory that has failed, and ends. `test_full_disk` does it with a disk that is full.
    """
    _, hard = resource.prlimit(broker.process_id, resource.RLIMIT_FSIZE)
    resource.prlimit(broker.process_id, resource.RLIMIT_FSIZE, (NO_BYTES, hard))


def _alter(admin: AdminClient, topic: str, entry: ConfigEntry) -> None:
    asked = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    for future in admin.incremental_alter_configs([asked], request_timeout=ANSWER_SECONDS).values():
        future.result(ANSWER_SECONDS)
