"""AFF, automatisk format- och författningskontroll: the checks every prescription and dispense goes through.

``rules.csv`` is the table: code, severity, which resources, the function that checks it, the rule in words, its source.
A row without a function, or a function without a row, fails at start.
"""

from connectors.nll_sandbox.aff.case import Case
from connectors.nll_sandbox.aff.table import RULES, Rule, examine

__all__ = ["RULES", "Case", "Rule", "examine"]
