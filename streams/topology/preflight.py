"""Before anything starts: the topics must be there, with equal numbers of partitions."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from streams.topology.client import admin_config
from streams.topology.problems import EngineCode, EngineError
from streams.topology.settings import EngineSettings

ASK_SECONDS = 30.0
HUNG_SECONDS = 60.0
"""When a client has neither answered nor given up: its waits hang when the machine's clock is set back."""


def require_topics(settings: EngineSettings) -> None:
    """Raise `EngineError` unless fact and state topic exist and match."""
    asking = ThreadPoolExecutor(1, thread_name_prefix="preflight").submit(_partitions, settings)
    try:
        partitions = asking.result(HUNG_SECONDS)
    except KafkaException as exc:
        raise EngineError(EngineCode.RESTORE_FAILED, f"no broker answered: {exc.args[0].name()}") from exc
    except TimeoutError as exc:
        raise EngineError(EngineCode.STUCK, f"the client gave no answer in {HUNG_SECONDS:.0f} s") from exc
    problem = judge_topics(settings, partitions)
    if problem is not None:
        raise problem


def judge_topics(settings: EngineSettings, partitions: Mapping[str, int]) -> EngineError | None:
    """The reason not to start, given the number of partitions of every topic."""
    needed = (settings.fact_topic, settings.state_topic)
    missing = [name for name in needed if name not in partitions]
    if missing:
        return EngineError(EngineCode.TOPICS_WRONG, f"missing: {', '.join(missing)}")
    counts = {name: partitions[name] for name in needed}
    if len(set(counts.values())) > 1:
        return EngineError(EngineCode.TOPICS_WRONG, f"partitions differ: {counts}")
    return None


def _partitions(settings: EngineSettings) -> dict[str, int]:
    listed = AdminClient(admin_config(settings)).list_topics(timeout=ASK_SECONDS).topics
    return {name: len(topic.partitions) for name, topic in listed.items()}
