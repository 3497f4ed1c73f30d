"""What the engine is told: where to connect, which topics, and its limits. Composition fills it in."""

from collections.abc import Callable
from typing import Literal

import msgspec

from connectors.settings import Settings
from streams.topology.rows import PlainRows, Rows

Isolation = Literal["transactions", "none"]
"""`transactions`: the promise holds. `none`: for the embedded broker of the demo only, which does not isolate
transactions: rows, sends and position are then written by a plain idempotent producer, the position last. A crash
between them applies records twice. That proves nothing about delivery, and is never right on a real broker."""


class EngineLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The limit of everything; the values were measured on packed records of about 50 kB.

    What must end before what: every single wait for a broker before `hung_seconds`, taking partitions over before the group
    gives this member up, the group's wait for its slowest member before `assignment_seconds`
    (`tests/streams/topology/test_limits.py`).
    """

    batch_seconds: float = 0.5
    """How long folding a batch may take in catch-up, by what the ones before it took (`batching`). When live a record is folded as it
    comes."""
    batch_records: int = 2000
    """Records in a batch, however fast they are folded."""
    batch_bytes: int = 64 * 1024 * 1024
    """The same by size."""
    received_bytes: int = 256 * 1024 * 1024
    """Received and not yet folded, all partitions of a worker together: each has its share, so that memory does not grow with them."""
    batch_wait_seconds: float = 0.5
    """How long a batch in catch-up may wait for its next record. With 0.05 batches were cut before they were full: half the
    throughput on a busy machine. Live records do not wait: they stand at the known end."""
    live_wait_seconds: float = 0.02
    """The same for a batch that begins with a record of just now: what follows has been fetched, or is about to be. Half a second for
    every record that another one follows closely would be the whole latency of a busy hour."""
    live_seconds: float = 1.0
    """A record that is older than this when it comes is caught up with, by the clocks of the broker's writers and ours."""
    pending_records: int = 8000
    """Records applied but not yet durable, per partition, before no more are taken (back pressure)."""
    pending_bytes: int = 128 * 1024 * 1024
    """The same by size."""
    transaction_seconds: float = 60.0
    """How long a broker may be away in the middle of a transaction before the process gives up and starts again."""
    fence_seconds: float = 60.0
    """How long fencing the older owner of one partition may take."""
    restore_quiet_seconds: float = 30.0
    """How long reading the state back may go without a record or an end."""
    restore_seconds: float = 600.0
    """How long fencing and reading back may take altogether, also where the broker goes on answering: a group gives a member up
    that takes no records for longer (`broker_max_poll_interval`), and another one would begin from the start."""
    drain_seconds: float = 5.0
    """How long a stop or a rebalance waits for what was applied to become durable. A courtesy: nothing depends on it."""
    shutdown_seconds: float = 20.0
    """How long a stop may take in all; then the process ends at once (a worker without a broker would hang)."""
    assignment_seconds: float = 90.0
    """How long the group may take to assign partitions while the broker answers; beyond a dead member's session and the wait
    for the slowest one (`broker_rebalance_timeout`)."""
    watch_seconds: float = 10.0
    """How often the watchdog looks."""
    hung_seconds: float = 90.0
    """How long a client may go without an answer, and without saying that there is none."""
    blocked_seconds: float = 300.0
    """How long the event loop may not turn: far beyond applying the largest batch, and before the group gives this member up."""
    wake_check_seconds: float = 1.0
    """How often we look whether a partition is due to be told the time."""


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the engine connects and what it works on."""

    connection: Settings
    """Where the brokers are, how to log in, and the name of this process that survives its restarts."""
    group: str
    """The consumer group; it only deals partitions out, its offsets mean nothing."""
    fact_topic: str
    state_topic: str
    """Compacted, with as many partitions as the fact topic; its `min.insync.replicas` is what durability rests on."""
    isolation: Isolation = "transactions"
    wake_ups: bool = True
    """Whether partitions are told what the machine's clock says. Off where stored messages are replayed: then the times
    at which they were first received are the only clock."""
    limits: EngineLimits = EngineLimits()
    rows: Callable[[], Rows] = PlainRows
    """Makes what the rows of a partition are read back into, and what its core is then loaded from."""
