"""The publisher as a process: lists from Kafka in, writes toward NLL out, how each patient stands back to Kafka."""

from streams.topology.publisher.run import Publisher, PublisherParts, publisher_process, run_publisher
from streams.topology.publisher.stopping import PublisherStop

__all__ = ["Publisher", "PublisherParts", "PublisherStop", "publisher_process", "run_publisher"]
