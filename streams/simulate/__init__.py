"""A simulated region: patients, their true treatments, and what every system writes about them; and the score.

The truth follows what the simulated patient really takes (``kinds`` states the rules), never how a list is made.
"""

from streams.simulate.hide import hide_links
from streams.simulate.load import history, region_mix
from streams.simulate.render import render
from streams.simulate.score import Reconcile, Score, headline, score
from streams.simulate.world import Simulated, generate, simulate

__all__ = [
    "Reconcile",
    "Score",
    "Simulated",
    "generate",
    "headline",
    "hide_links",
    "history",
    "region_mix",
    "render",
    "score",
    "simulate",
]
