"""Benchmarks: each module is one, run by `make bench`; modules that begin with an underscore are their parts."""
