"""The lock: whole, hashed, and tied to no host."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PINS = re.findall(r"^([a-z0-9.-]+)==(\S+)([^\\\n]*(?:\\\n[^\\\n]*)*)", LOCK, flags=re.MULTILINE)


def test_the_lock_names_no_host() -> None:
    """A machine may fetch from wherever it is told to: the lock holds no address."""
    assert re.findall(r"\S+://\S+", LOCK) == []
    assert "--index-url" not in LOCK
    assert "--find-links" not in LOCK


def test_every_pin_is_exact_and_hashed() -> None:
    """Every line that names a package pins one version and its hashes."""
    lines = [line for line in LOCK.splitlines() if line and not line.startswith((" ", "#"))]

    assert len(lines) == len(PINS)
    assert [name for name, _, rest in PINS if "--hash=sha256:" not in rest] == []


def test_everything_that_is_asked_for_is_locked() -> None:
    """Each dependency of the project and of its tests stands in the lock; if not, run `make lock`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    names = {re.split(r"[=<>~!\[; ]", one)[0].lower().replace(".", "-").replace("_", "-") for one in asked}

    assert names - {name.replace(".", "-") for name, _, _ in PINS} == set()
