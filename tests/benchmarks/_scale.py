"""`deploy/scale.md` as a sheet: `python -m tests.benchmarks._scale` computes its figures anew from its own inputs and formulas.

The page has tables of inputs (name, value, where from) and of figures (name, formula, region, country). A formula may use every
input and every figure above it, and `ceil` and `max`. With `--check` nothing is written; exit status 1 if the page
would change.
"""

import math
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parents[2] / "deploy" / "scale.md"
POPULATIONS: Final[Mapping[str, float]] = {"region": 300_000, "country": 10_500_000}

_INPUT: Final = re.compile(r"\| `(\w+)` \| ([\d,.]+) \| .* \|")
_FIGURE: Final = re.compile(r"\| `(\w+)` \| `([^`]+)` \| ([^|]*) \| ([^|]*) \|(.*)")
_DIGITS: Final = 3


def computed(page: str) -> str:
    """Return the page with its figures computed. Raises `NameError` or `SyntaxError` for a formula that cannot be."""
    inputs = {name: float(value.replace(",", "")) for name, value in _INPUT.findall(page)}
    known = {place: inputs | {"population": population} for place, population in POPULATIONS.items()}

    def line(found: re.Match[str]) -> str:
        name, formula, _, _, rest = found.groups()
        for values in known.values():
            values[name] = evaluated(formula, values)
        shown = " | ".join(written(values[name]) for values in known.values())
        return f"| `{name}` | `{formula}` | {shown} |{rest}"

    return _FIGURE.sub(line, page)


def evaluated(formula: str, values: Mapping[str, float]) -> float:
    """The value of a formula of the page."""
    functions = {"ceil": math.ceil, "max": max}
    return float(eval(formula, {"__builtins__": {}, **functions}, dict(values)))  # noqa: S307 - our own page


def written(value: float) -> str:
    """A figure as people read it: three digits that mean something."""
    if value == 0:
        return "0"
    digits = _DIGITS - 1 - math.floor(math.log10(abs(value)))
    return (
        f"{round(value, digits):,.{max(digits, 0)}f}"
        if digits > 0 and value != int(value)
        else f"{round(value, digits):,.0f}"
    )


def main() -> int:
    """Write the page, or compare it."""
    page = PAGE.read_text(encoding="utf-8")
    fresh = computed(page)
    if "--check" in sys.argv[1:]:
        return int(fresh != page)
    PAGE.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
