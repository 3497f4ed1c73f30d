"""Kafka from our side: the embedded broker of the demo, and what the stream shares of the wire."""
