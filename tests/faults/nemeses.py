"""What strikes. Each nemesis does one thing, takes back what must not stand, and says in a few words what it did."""

import random
import signal
import time
from collections.abc import Callable, Mapping
from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition

from connectors.kafka.clients import SESSION_SECONDS
from contracts.topics import CHANGE, FACT, LIST, PUBLISH, STATE
from tests.faults.members import Member
from tests.faults.refusals import fill_the_disk_of, set_wrong, writes_denied
from tests.faults.stage import ADMIN_SECONDS, Stage
from tests.kafka.broker import LocalKafka
from tests.system.medlist import PARTITIONS

GROUP_EMPTY_SECONDS = 60.0
FAR_AHEAD = 1_000_000
RESTARTS = 8
BACKLOG_MESSAGES = 20
IN_SYNC_SECONDS = 60.0
FULL_DISK_SECONDS = 30.0
STUCK_SECONDS = 90.0
HOUR_SECONDS = 3600
WRITTEN: Final = (FACT, STATE, LIST, CHANGE, PUBLISH)

Nemesis = Callable[[Stage, random.Random], str]


def kill_a_process(stage: Stage, chance: random.Random) -> str:
    """`kill -9` of any of ours."""
    member = chance.choice(stage.members.of())
    member.send(signal.SIGKILL)
    return f"kill -9 {member.name}"


def stop_a_process(stage: Stage, chance: random.Random) -> str:
    """SIGTERM of any of ours: a clean restart under load."""
    member = chance.choice(stage.members.of())
    member.send(signal.SIGTERM)
    return f"SIGTERM {member.name}"


def kill_two_at_once(stage: Stage, chance: random.Random) -> str:
    """`kill -9` of two of ours in the same moment."""
    struck = chance.sample(stage.members.of(), 2)
    for member in struck:
        member.send(signal.SIGKILL)
    return "kill -9 " + " and ".join(member.name for member in struck)


def roll(stage: Stage, _chance: random.Random) -> str:
    """A rolling restart: one after the other, each back before the next goes."""
    for member in stage.members.of():
        member.send(signal.SIGTERM)
        _wait_until_back(stage, member)
    return "rolling restart"


def restart_again_and_again(stage: Stage, chance: random.Random) -> str:
    """Clean restarts of one reconciler, each with a backlog: down until messages have come that it must fold when it is up."""
    member = chance.choice(stage.members.of("reconciler"))
    for _ in range(RESTARTS):
        sent = stage.vendor.messages
        member.stop()
        deadline = time.monotonic() + GROUP_EMPTY_SECONDS
        while stage.vendor.messages < sent + BACKLOG_MESSAGES and time.monotonic() < deadline:
            stage.members.watch_for(0.05)
        member.start()
        _wait_until_ready(stage, member)
    return f"{member.name} restarted {RESTARTS} times, each with a backlog"


def join_and_leave(stage: Stage, chance: random.Random) -> str:
    """A third reconciler that comes, in some runs dies in its first seconds, and goes: rebalances under load."""
    extra = stage.members.join("reconciler-extra")
    seconds = chance.uniform(1, 8)
    stage.members.watch_for(seconds)
    dies = chance.random() < 0.5
    if dies:
        extra.send(signal.SIGKILL)
        stage.members.watch_for(seconds)
    stage.members.leave(extra)
    return f"a third reconciler for {seconds:.1f} s" + (", killed once" if dies else "")


def freeze_briefly(stage: Stage, chance: random.Random) -> str:
    """SIGSTOP within the session, then SIGCONT."""
    return _freeze(stage, chance, chance.uniform(0.5, SESSION_SECONDS / 2))


def freeze_beyond_the_session(stage: Stage, chance: random.Random) -> str:
    """SIGSTOP until others have taken over, then SIGCONT: a zombie."""
    return _freeze(stage, chance, SESSION_SECONDS + chance.uniform(2, 5))


def kill_a_broker(stage: Stage, chance: random.Random) -> str:
    """`kill -9` of a broker, and its start after a while."""
    broker, name = _broker(stage, chance)
    broker.kill()
    seconds = chance.uniform(0, 4)
    stage.members.watch_for(seconds)
    _start(stage, broker)
    return f"{name} killed, {seconds:.1f} s away"


def restart_a_broker(stage: Stage, chance: random.Random) -> str:
    """A broker stopped in order and started."""
    broker, name = _broker(stage, chance)
    broker.stop()
    _start(stage, broker)
    return f"{name} restarted"


def lose_a_broker(stage: Stage, chance: random.Random) -> str:
    """`kill -9` of a broker that stays away for long; of three, the other two go on without it."""
    broker, name = _broker(stage, chance)
    broker.kill()
    seconds = chance.uniform(8, 20)
    stage.members.watch_for(seconds)
    _start(stage, broker)
    return f"{name} lost for {seconds:.1f} s"


def freeze_a_broker(stage: Stage, chance: random.Random) -> str:
    """A broker without its clockwork for some seconds: connections open, no answers."""
    broker, name = _broker(stage, chance)
    seconds = chance.uniform(1, 8)
    broker.freeze()
    stage.members.watch_for(seconds)
    broker.thaw()
    return f"{name} frozen {seconds:.1f} s"


def fill_a_disk(stage: Stage, chance: random.Random) -> str:
    """A broker's disk is full, until there is room again and it is started."""
    broker, name = _broker(stage, chance)
    fill_the_disk_of(broker)
    ended = broker.wait_until_it_ends(FULL_DISK_SECONDS)
    seconds = chance.uniform(0, 4)
    stage.members.watch_for(seconds)
    _start(stage, broker)
    return f"disk of {name} full, {'ended by itself' if ended else 'killed'}, {seconds:.1f} s away"


def refuse_writes(stage: Stage, chance: random.Random) -> str:
    """Every write to one of our topics refused for a while: for want of rights or of in-sync replicas."""
    name = chance.choice(WRITTEN)
    topic = stage.medlist.settings.topic(name)
    too_many = str(len(stage.brokers) + 1)
    refusals = [("too few in-sync replicas", set_wrong(stage.admin(), topic, "min.insync.replicas", too_many))]
    if len(stage.brokers) == 1:  # see `LocalCluster`
        refusals.append(("no rights", writes_denied(stage.admin(), topic)))
    why, refusal = chance.choice(refusals)
    seconds = chance.uniform(1, 8)
    with refusal:
        stage.members.watch_for(seconds)
    return f"writes to {name} refused for {seconds:.1f} s: {why}"


def get_stuck(stage: Stage, chance: random.Random) -> str:
    """A reconciler that stays in its group and handles nothing: its watchdog must end it, and it is started again."""
    member = chance.choice(stage.members.of("reconciler"))
    _wait_until_ready(stage, member)
    starts, begun = member.starts, time.monotonic()
    member.send(signal.SIGRTMIN)
    while member.starts == starts and time.monotonic() < begun + STUCK_SECONDS:
        stage.members.watch_for(0.1)
    told = "its watchdog ended it" if member.starts > starts else "and stays so"
    return f"{member.name} stuck; after {time.monotonic() - begun:.0f} s {told}"


def move_the_clock(stage: Stage, chance: random.Random) -> str:
    """The wall clock of all our processes jumps, forth or back, and after a while to where it should be."""
    if not stage.clock.movable:
        return "clocks not moved: no C compiler"
    ahead = chance.choice((-1, 1)) * chance.randint(60, 6 * HOUR_SECONDS)
    seconds = chance.uniform(2, 8)
    stage.clock.move(ahead)
    stage.members.watch_for(seconds)
    stage.clock.move(0)
    return f"clock {ahead:+} s for {seconds:.1f} s"


def cut_connections(stage: Stage, chance: random.Random) -> str:
    """Every connection to a broker cut, some times in a row."""
    times, proxy = chance.randint(1, 4), chance.choice(stage.proxies)
    for _ in range(times):
        proxy.cut()
        stage.members.watch_for(0.3)
    return f"connections cut {times} times"


def half_open(stage: Stage, chance: random.Random) -> str:
    """Connections that swallow everything, then are cut."""
    seconds, proxy = chance.uniform(1, 6), chance.choice(stage.proxies)
    proxy.mode = "hole"
    stage.members.watch_for(seconds)
    proxy.mode = "pass"
    proxy.cut()  # bytes are missing in them
    return f"connections half open {seconds:.1f} s"


def slow_broker(stage: Stage, chance: random.Random) -> str:
    """Every chunk of bytes from and to a broker late."""
    seconds, proxy = chance.uniform(2, 6), chance.choice(stage.proxies)
    proxy.mode = "slow"
    stage.members.watch_for(seconds)
    proxy.mode = "pass"
    return f"broker slow {seconds:.1f} s"


def move_offsets(stage: Stage, chance: random.Random) -> str:
    """The reconciler's committed offsets moved by an outsider while it is down: back, ahead, beyond the end."""
    reconcilers = stage.members.of("reconciler")
    for member in reconcilers:
        member.stop()
    group, topic = stage.medlist.settings.reconciler_group, stage.medlist.settings.topic(FACT)
    offsets = [chance.choice((0, 1, chance.randrange(500), FAR_AHEAD)) for _ in range(PARTITIONS)]
    consumer = Consumer({**stage.medlist.settings.kafka_client(), "group.id": group, "log_level": 0})
    places = [TopicPartition(topic, number, offset) for number, offset in enumerate(offsets)]
    try:
        _wait_until_empty(stage, group)
        consumer.commit(offsets=places, asynchronous=False)
    except KafkaException as error:
        return f"committed offsets not moved: {error.args[0].name()}"
    finally:
        consumer.close()
        for member in reconcilers:
            member.start()
    return f"committed offsets moved to {offsets}"


def endpoint_gone(stage: Stage, chance: random.Random) -> str:
    """NLL's endpoint killed, and back after a while."""
    seconds = chance.uniform(0.5, 5)
    stage.endpoint.kill()
    stage.members.watch_for(seconds)
    stage.endpoint.start()
    return f"endpoint gone {seconds:.1f} s"


def endpoint_faulty(stage: Stage, chance: random.Random) -> str:
    """NLL's endpoint with every fault it knows, among them writes that are stored and not answered."""
    seconds = chance.uniform(3, 8)
    names = ("server_error", "version_conflict", "drop_after_commit", "error_after_commit", "expire_token", "latency")
    switches = {name: {"probability": 0.25} for name in names}
    stage.endpoint.sandbox.tell("faults", {"seed": chance.randrange(1000), "switches": switches})
    stage.members.watch_for(seconds)
    stage.endpoint.sandbox.tell("faults", {})
    return f"endpoint faulty {seconds:.1f} s"


WEIGHTS: Final[Mapping[Nemesis, int]] = {
    kill_a_process: 8,
    stop_a_process: 8,
    kill_two_at_once: 3,
    roll: 1,
    restart_again_and_again: 4,
    join_and_leave: 3,
    freeze_briefly: 2,
    freeze_beyond_the_session: 1,
    kill_a_broker: 2,
    restart_a_broker: 1,
    lose_a_broker: 1,
    freeze_a_broker: 1,
    fill_a_disk: 1,
    refuse_writes: 2,
    get_stuck: 1,
    move_the_clock: 2,
    cut_connections: 3,
    half_open: 2,
    slow_broker: 2,
    move_offsets: 2,
    endpoint_gone: 2,
    endpoint_faulty: 2,
}
"""Nemesis -> how often it strikes, among the others."""


def _freeze(stage: Stage, chance: random.Random, seconds: float) -> str:
    member = chance.choice(stage.members.of())
    member.send(signal.SIGSTOP)
    stage.members.watch_for(seconds)
    member.send(signal.SIGCONT)
    return f"{member.name} frozen {seconds:.1f} s"


def _broker(stage: Stage, chance: random.Random) -> tuple[LocalKafka, str]:
    number = chance.randrange(len(stage.brokers))
    return stage.brokers[number], "the broker" if len(stage.brokers) == 1 else f"broker {number + 1}"


def _start(stage: Stage, broker: LocalKafka) -> None:
    """Start a broker, and wait until every record is on as many brokers as it should be: the next fault may strike another."""
    broker.start()
    deadline = time.monotonic() + IN_SYNC_SECONDS
    while not _in_sync(stage) and time.monotonic() < deadline:
        stage.members.watch_for(0.2)


def _in_sync(stage: Stage) -> bool:
    try:
        topics = stage.admin().list_topics(timeout=5).topics.values()
    except KafkaException:
        return False
    partitions = [partition for topic in topics for partition in topic.partitions.values()]
    return all(len(partition.isrs) == len(partition.replicas) for partition in partitions)


def _wait_until_back(stage: Stage, member: Member) -> None:
    """After a signal: another process, and it is ready."""
    starts = member.starts
    deadline = time.monotonic() + GROUP_EMPTY_SECONDS
    while member.starts == starts and time.monotonic() < deadline:
        stage.members.watch_for(0.1)
    _wait_until_ready(stage, member)


def _wait_until_ready(stage: Stage, member: Member) -> None:
    deadline = time.monotonic() + GROUP_EMPTY_SECONDS
    while not member.is_ready() and time.monotonic() < deadline:
        stage.members.watch_for(0.1)


def _wait_until_empty(stage: Stage, group: str) -> None:
    """Static members keep their places until their session ends."""
    admin = stage.admin()
    deadline = time.monotonic() + GROUP_EMPTY_SECONDS
    while time.monotonic() < deadline:
        described = admin.describe_consumer_groups([group], request_timeout=ADMIN_SECONDS)[group]
        if not described.result(2 * ADMIN_SECONDS).members:
            return
        stage.members.watch_for(0.5)
