"""A client of brokers of which some are away."""

from collections.abc import Collection

from confluent_kafka import KafkaError, KafkaException, TopicPartition


class PartlyLed:
    """Tells where partitions end that have a leader, 7 always; takes the whole time of a question about another; its own clock."""

    def __init__(self, led: Collection[tuple[str, int]]) -> None:
        self.led = set(led)
        self.now = 0.0

    def monotonic(self) -> float:
        """The time."""
        return self.now

    def get_watermark_offsets(self, partition: TopicPartition, timeout: float) -> tuple[int, int]:
        """The ends, or nothing for as long as was asked."""
        if (partition.topic, partition.partition) not in self.led:
            self.now += timeout
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return 0, 7

    def close(self) -> None:
        """Nothing to close."""
