"""A real Apache Kafka for tests, benchmarks and developers."""
