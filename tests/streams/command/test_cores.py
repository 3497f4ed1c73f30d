"""How many cores a process may use, in a container too."""

import os
from pathlib import Path

import pytest

from streams.command.cores import usable_cores


@pytest.fixture(autouse=True)
def _sixteen_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process is bound to sixteen cores of its machine."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: set(range(16)))


def container(directory: Path, own: str = "0::/\n", **limits: str) -> tuple[Path, Path]:
    """What a process reads of its groups: its own group, and `cpu.max` of each by its path, `_` standing for `/`."""
    for name, limit in limits.items():
        group = directory / name.strip("_").replace("_", "/")
        group.mkdir(parents=True, exist_ok=True)
        (group / "cpu.max").write_text(limit, encoding="ascii")
    (directory / "own").write_text(own, encoding="utf-8")
    return directory, directory / "own"


@pytest.mark.parametrize(
    ("limit", "cores"),
    [
        ("max 100000\n", 16),
        ("200000 100000\n", 2),
        ("150000 100000\n", 2),
        ("50000 100000\n", 1),
        ("9900000 100000\n", 16),
    ],
)
def test_a_container_may_use_what_its_limit_allows(tmp_path: Path, limit: str, cores: int) -> None:
    """Not what the host has; part of a core counts as one, and nothing is more than what the process is bound to."""
    assert usable_cores(*container(tmp_path, _=limit)) == cores


def test_the_limits_of_the_groups_above_hold_too(tmp_path: Path) -> None:
    """As for a service inside a slice; a group with another name does not count."""
    limits = {"a": "300000 100000\n", "a_b": "max 100000\n", "other": "100000 100000\n"}

    assert usable_cores(*container(tmp_path, "0::/a/b\n", **limits)) == 3


def test_a_machine_without_such_groups_has_its_cores(tmp_path: Path) -> None:
    """Neither an older kind of group nor none at all is a limit."""
    old = container(tmp_path, "4:cpu,cpuacct:/a\n", a="100000 100000\n")

    assert usable_cores(*old) == 16
    assert usable_cores(tmp_path / "nowhere", tmp_path / "nothing") == 16
