"""A broker on a disk that is really full (a small file system in memory): it ends, and nothing that was accepted is lost."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka.broker import LocalKafka
from tests.streams.topology.delivery import POLL_SECONDS, Stage, Verdict

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(300)]

SIZE = "128m"
MOUNT_SECONDS = 10
END_SECONDS = 60.0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own; skips where none may be mounted. `fill_the_disk_of` needs no rights, and does nearly this."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "medlist", str(place)]
    if subprocess.run(mount, capture_output=True, timeout=MOUNT_SECONDS, check=False).returncode != 0:
        pytest.skip("no right to mount a file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], timeout=MOUNT_SECONDS, check=True)


def fill(ballast: Path) -> None:
    """Write until there is no room left."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65_536))
        except OSError:
            return


def test_a_full_disk_costs_time_and_nothing_else(
    small_disk: Path, kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    """The broker cannot write and ends; with room again, worker and broker go on where they were."""
    del kafka  # asked for only to skip where no broker can be had
    ballast = small_disk / "ballast"
    with LocalKafka(small_disk / "broker") as broker:
        stage = Stage(broker.bootstrap, topic_prefix, tmp_path)
        stage.produce(2000)
        with stage.start(instance="pod-0", slow_seconds=0.003) as worker:
            worker.wait_until_applied(300)
            fill(ballast)
            ended = broker.wait_until_it_ends(END_SECONDS)
            ballast.unlink()
            broker.start()
            stage.produce(500)
            while worker.process.poll() is None and worker.ask("/caught-up")[0] != 200:
                time.sleep(POLL_SECONDS)
        stage.run_until_caught_up(instance="pod-0")

        assert ended
        assert stage.verdict() == Verdict(lost=0, twice=0)
        assert stage.verdict_of_sends() == Verdict(lost=0, twice=0)
