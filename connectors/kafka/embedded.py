"""A Kafka broker inside one process: librdkafka's mock cluster, which the confluent-kafka wheel carries.

For the demo and for wire tests only, because it is not Apache Kafka:

- transactions are not isolated: a `read_committed` consumer sees open and aborted records;
- it keeps at most 5 MiB or 100,000 batches per partition, in memory, and silently drops the oldest beyond that;
- there is no compaction, retention, TLS, SASL or access control, and topics cannot be created through the protocol
  (an unknown topic springs into being with 4 partitions, so name every topic at the start).

Delivery is therefore proven on a real broker only (`tests/kafka`).
"""

import ctypes
import importlib.util
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

_PRODUCER = 0  # RD_KAFKA_PRODUCER: the mock cluster needs any client instance to live in
_BROKER_ID = 1  # librdkafka numbers mock brokers from 1
_REPLICATION = 1
_ERROR_TEXT_BYTES = 512
_LIBRARIES = ("../confluent_kafka.libs/librdkafka*.so*", ".dylibs/librdkafka*.dylib")


class EmbeddedBrokerError(RuntimeError):
    """The embedded broker could not be made or told something; the text is librdkafka's."""


class EmbeddedBroker(AbstractContextManager["EmbeddedBroker"]):
    """One mock broker on a free loopback port, with the given topics; gone when the context ends.

    `topics` maps topic names to partition counts (at least 1). Other processes of the machine can connect to
    `bootstrap`. Raises `EmbeddedBrokerError` where the wheel has no usable librdkafka or a topic is refused.
    """

    def __init__(self, topics: Mapping[str, int]) -> None:
        self._topics = dict(topics)
        self._client: int | None = None
        self._cluster: int | None = None

    @property
    def bootstrap(self) -> str:
        """The broker's address, `127.0.0.1:PORT`."""
        address: bytes = _librdkafka().rd_kafka_mock_cluster_bootstraps(self._running())
        return address.decode("ascii")

    def __enter__(self) -> Self:
        library = _librdkafka()
        reason = ctypes.create_string_buffer(_ERROR_TEXT_BYTES)
        settings = library.rd_kafka_conf_new()
        library.rd_kafka_conf_set_log_cb(settings, None)  # it would warn that it knows no broker: it is one
        self._client = library.rd_kafka_new(_PRODUCER, settings, reason, _ERROR_TEXT_BYTES)
        if not self._client:
            raise EmbeddedBrokerError(f"no client instance: {reason.value.decode()}")
        self._cluster = library.rd_kafka_mock_cluster_new(self._client, 1)
        if not self._cluster:
            self.close()
            raise EmbeddedBrokerError("no mock cluster")
        # The first member of a group must not wait 3 s for others.
        library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, 0)
        try:
            for name, partitions in sorted(self._topics.items()):
                self.create_topic(name, partitions)
        except EmbeddedBrokerError:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def create_topic(self, name: str, partitions: int) -> None:
        """Create one more topic; raises `EmbeddedBrokerError` if it exists or the count is below 1."""
        if not name or partitions < 1:
            raise EmbeddedBrokerError(f"topic '{name}': needs a name and at least one partition, not {partitions}")
        library = _librdkafka()
        code = library.rd_kafka_mock_topic_create(self._running(), name.encode("ascii"), partitions, _REPLICATION)
        _check(code, f"topic {name}")

    def down(self) -> None:
        """Cut every connection and refuse new ones, until `up`; what was stored stays."""
        _check(_librdkafka().rd_kafka_mock_broker_set_down(self._running(), _BROKER_ID), "broker down")

    def up(self) -> None:
        """Answer again after `down`."""
        _check(_librdkafka().rd_kafka_mock_broker_set_up(self._running(), _BROKER_ID), "broker up")

    def answer_after(self, milliseconds: int) -> None:
        """Delay every answer by so many milliseconds (0: none)."""
        code = _librdkafka().rd_kafka_mock_broker_set_rtt(self._running(), _BROKER_ID, milliseconds)
        _check(code, "round trip time")

    def fail_next(self, api_key: int, *error_codes: int) -> None:
        """Answer the next requests of one kind with these error codes, one each.

        `api_key` is the protocol's number of the request kind (0 Produce, 1 Fetch, 8 OffsetCommit, 11 JoinGroup,
        12 Heartbeat); the codes are those of the protocol (`KafkaError` constants).
        """
        codes = (ctypes.c_int * len(error_codes))(*error_codes)
        _librdkafka().rd_kafka_mock_push_request_errors_array(self._running(), api_key, len(error_codes), codes)

    def close(self) -> None:
        """Stop the broker and free it; a second call does nothing."""
        library = _librdkafka()
        if self._cluster:
            library.rd_kafka_mock_cluster_destroy(self._cluster)
            self._cluster = None
        if self._client:
            library.rd_kafka_destroy(self._client)
            self._client = None

    def _running(self) -> int:
        if not self._cluster:
            raise EmbeddedBrokerError("the broker is not running: use it as a context manager")
        return self._cluster


def _check(code: int, what: str) -> None:
    if code:
        name: bytes = _librdkafka().rd_kafka_err2name(code)
        raise EmbeddedBrokerError(f"{what}: {name.decode('ascii')}")


@cache
def _librdkafka() -> ctypes.CDLL:
    """The wheel's own librdkafka with the signatures used here (rdkafka.h and rdkafka_mock.h, 2.16)."""
    library = ctypes.CDLL(str(_library_path()))
    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    signatures = {
        "rd_kafka_conf_new": (pointer, ()),
        "rd_kafka_conf_set_log_cb": (None, (pointer, pointer)),
        "rd_kafka_new": (pointer, (number, pointer, text, ctypes.c_size_t)),
        "rd_kafka_destroy": (None, (pointer,)),
        "rd_kafka_err2name": (text, (number,)),
        "rd_kafka_mock_cluster_new": (pointer, (pointer, number)),
        "rd_kafka_mock_cluster_destroy": (None, (pointer,)),
        "rd_kafka_mock_cluster_bootstraps": (text, (pointer,)),
        "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, (pointer, ctypes.c_int32)),
        "rd_kafka_mock_topic_create": (number, (pointer, text, number, number)),
        "rd_kafka_mock_broker_set_down": (number, (pointer, ctypes.c_int32)),
        "rd_kafka_mock_broker_set_up": (number, (pointer, ctypes.c_int32)),
        "rd_kafka_mock_broker_set_rtt": (number, (pointer, ctypes.c_int32, number)),
        "rd_kafka_mock_push_request_errors_array": (
            None,
            (pointer, ctypes.c_int16, ctypes.c_size_t, ctypes.POINTER(number)),
        ),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
    return library


def _library_path() -> Path:
    spec = importlib.util.find_spec("confluent_kafka")
    if spec is None or spec.origin is None:
        raise EmbeddedBrokerError("confluent-kafka is not installed: run `make setup`")
    package = Path(spec.origin).parent
    for pattern in _LIBRARIES:
        folder, _, name = pattern.rpartition("/")
        for found in sorted((package / folder).glob(name)):
            return found.resolve()
    raise EmbeddedBrokerError("confluent-kafka is not installed from its wheel, which carries librdkafka")
