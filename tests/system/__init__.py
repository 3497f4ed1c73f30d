"""The whole system as processes on a real broker, for tests and benchmarks that run, stop, kill and measure it."""
