"""What strikes. Each nemesis does one thing, takes back what must not stand, and says in a few words what it did."""

import random
import signal
import time
from collections.abc import Callable, Mapping
from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from connectors.kafka.clients import SESSION_SECONDS
from contracts.topics import FACT
from tests.faults.members import Member
from tests.faults.stage import Stage
from tests.system.medlist import PARTITIONS

GROUP_EMPTY_SECONDS = 60.0
FAR_AHEAD = 1_000_000
RESTARTS = 6

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
    """Clean restarts of one reconciler under load, each as soon as the last one is ready."""
    member = chance.choice(stage.members.of("reconciler"))
    for _ in range(RESTARTS):
        member.send(signal.SIGTERM)
        _wait_until_back(stage, member)
    return f"{member.name} restarted {RESTARTS} times"


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


def kill_the_broker(stage: Stage, chance: random.Random) -> str:
    """`kill -9` of the broker, and its start after a while."""
    stage.broker.kill()
    seconds = chance.uniform(0, 4)
    stage.members.watch_for(seconds)
    stage.broker.start()
    return f"broker killed, {seconds:.1f} s away"


def restart_the_broker(stage: Stage, _chance: random.Random) -> str:
    """The broker stopped in order and started."""
    stage.broker.restart()
    return "broker restarted"


def freeze_the_broker(stage: Stage, chance: random.Random) -> str:
    """The broker without its clockwork for some seconds: connections open, no answers."""
    seconds = chance.uniform(1, 8)
    stage.broker.freeze()
    stage.members.watch_for(seconds)
    stage.broker.thaw()
    return f"broker frozen {seconds:.1f} s"


def cut_connections(stage: Stage, chance: random.Random) -> str:
    """Every connection to the broker cut, some times in a row."""
    times = chance.randint(1, 4)
    for _ in range(times):
        stage.proxy.cut()
        stage.members.watch_for(0.3)
    return f"connections cut {times} times"


def half_open(stage: Stage, chance: random.Random) -> str:
    """Connections that swallow everything, then are cut."""
    seconds = chance.uniform(1, 6)
    stage.proxy.mode = "hole"
    stage.members.watch_for(seconds)
    stage.proxy.mode = "pass"
    stage.proxy.cut()  # bytes are missing in them
    return f"connections half open {seconds:.1f} s"


def slow_broker(stage: Stage, chance: random.Random) -> str:
    """Every chunk of bytes from and to the broker late."""
    seconds = chance.uniform(2, 6)
    stage.proxy.mode = "slow"
    stage.members.watch_for(seconds)
    stage.proxy.mode = "pass"
    return f"broker slow {seconds:.1f} s"


def move_offsets(stage: Stage, chance: random.Random) -> str:
    """The reconciler's committed offsets moved by an outsider while it is down: back, ahead, beyond the end."""
    reconcilers = stage.members.of("reconciler")
    for member in reconcilers:
        member.stop()
    group, topic = stage.medlist.settings.reconciler_group, stage.medlist.settings.topic(FACT)
    _wait_until_empty(stage, group)
    offsets = [chance.choice((0, 1, chance.randrange(500), FAR_AHEAD)) for _ in range(PARTITIONS)]
    consumer = Consumer({**stage.medlist.settings.kafka_client(), "group.id": group, "log_level": 0})
    places = [TopicPartition(topic, number, offset) for number, offset in enumerate(offsets)]
    try:
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
    restart_again_and_again: 2,
    join_and_leave: 3,
    freeze_briefly: 2,
    freeze_beyond_the_session: 1,
    kill_the_broker: 2,
    restart_the_broker: 1,
    freeze_the_broker: 1,
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


def _wait_until_back(stage: Stage, member: Member) -> None:
    starts = member.starts
    deadline = time.monotonic() + GROUP_EMPTY_SECONDS
    while time.monotonic() < deadline:
        stage.members.watch_for(0.1)
        if member.starts > starts and member.process is not None and member.process.ask("/ready")[0] == 200:
            return


def _wait_until_empty(stage: Stage, group: str) -> None:
    """Static members keep their places until their session ends."""
    admin = AdminClient(stage.medlist.settings.kafka_client())
    deadline = time.monotonic() + GROUP_EMPTY_SECONDS
    while time.monotonic() < deadline:
        described = admin.describe_consumer_groups([group], request_timeout=30)[group].result(30)
        if not described.members:
            return
        stage.members.watch_for(0.5)
