"""NLL as a source: what others have registered there, of patients that we hold, onto an input topic like any other's."""

from streams.topology.nll_source.run import NllSourceParts, nll_source_process, run_nll_source

__all__ = ["NllSourceParts", "nll_source_process", "run_nll_source"]
