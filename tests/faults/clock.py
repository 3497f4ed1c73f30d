"""The wall clock that our processes read, moved forth and back: a small library that is loaded before the C library.

The machine's clock is not touched, so no rights are needed. It is built once per run by the C compiler; where there is
none, clocks stand as they are, and the report says so.
"""

import mmap
import shutil
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")
BUILD_SECONDS = 60
SECONDS = struct.Struct("=q")


class Clock:
    """The clock of every process that is started with `variables`."""

    def __init__(self, directory: Path) -> None:
        self._library = directory / "clock.so"
        self._offset = directory / "clock.offset"
        self._offset.write_bytes(SECONDS.pack(0))
        self.movable = self._build()

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment of a process whose clock is this one."""
        if not self.movable:
            return {}
        return {"LD_PRELOAD": str(self._library), "FAULTS_CLOCK": str(self._offset)}

    def move(self, seconds: int) -> None:
        """Let the clock be so many seconds ahead of the machine's; it jumps there."""
        with self._offset.open("r+b") as file, mmap.mmap(file.fileno(), SECONDS.size) as shared:
            shared[:] = SECONDS.pack(seconds)

    def _build(self) -> bool:
        compiler = shutil.which("cc")
        if compiler is None:
            return False
        command = [compiler, "-shared", "-fPIC", "-O2", "-o", str(self._library), str(SOURCE), "-ldl"]
        return subprocess.run(command, capture_output=True, timeout=BUILD_SECONDS, check=False).returncode == 0
