"""The page about scale says what its own formulas give."""

import pytest

from tests.benchmarks._scale import PAGE, computed, written


def test_the_figures_of_the_page_are_those_of_its_inputs() -> None:
    """Whoever changes an input computes the page anew: `python -m tests.benchmarks._scale`."""
    page = PAGE.read_text(encoding="utf-8")

    assert computed(page) == page


def test_a_changed_input_changes_what_follows_from_it() -> None:
    """Inputs are read from the page, and a formula may use the figures above it."""
    page = "| `share` | 0.5 | a guess |\n| `patients` | `population * share` | - | - | |\n| `more` | `2 * patients` | - | - | x |\n"

    assert computed(page) == (
        "| `share` | 0.5 | a guess |\n"
        "| `patients` | `population * share` | 150,000 | 5,250,000 | |\n"
        "| `more` | `2 * patients` | 300,000 | 10,500,000 | x |\n"
    )


def test_a_formula_with_an_unknown_name_is_refused() -> None:
    """A misspelt input is no zero."""
    with pytest.raises(NameError):
        computed("| `patients` | `population * shar` | - | - | |\n")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.01255, "0.0126"), (9.456, "9.46"), (1_234_567, "1,230,000"), (300, "300"), (2, "2"), (0, "0")],
)
def test_figures_have_three_digits_that_mean_something(value: float, text: str) -> None:
    """More would promise what assumptions cannot keep."""
    assert written(value) == text
