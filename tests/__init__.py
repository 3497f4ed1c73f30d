"""Tests: they mirror the packages; beside them the real broker, faults, benchmarks."""
