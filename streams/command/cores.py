"""How many cores this process may use: those that it is bound to, and no more than its container's limit.

In a container with a limit every core of the host is still to be seen. Source of the limit: Linux, cgroup v2, ``cpu.max``: the
microseconds of CPU time (or ``max``) in each period of so many microseconds; the limits of the groups above hold too.
"""

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

CGROUPS: Final = Path("/sys/fs/cgroup")
OWN_CGROUP: Final = Path("/proc/self/cgroup")
_V2: Final = "0::/"
_UNLIMITED: Final = "max"


def usable_cores(cgroups: Path = CGROUPS, own_cgroup: Path = OWN_CGROUP) -> int:
    """Return how many cores this process can keep busy: 1 at least, and part of a core counts as one."""
    limits = [math.ceil(limit) for limit in _limits(cgroups, own_cgroup)]
    return max(1, min([len(os.sched_getaffinity(0)), *limits]))


def _limits(cgroups: Path, own_cgroup: Path) -> Iterator[float]:
    """The limits, in cores, of this process's group and of those above it, as far as they can be seen from here."""
    for group in _groups(own_cgroup):
        try:
            quota, period = (cgroups / group / "cpu.max").read_text(encoding="ascii").split()
        except OSError:
            continue  # the topmost group has no limit, and neither has a machine without cgroup v2
        if quota != _UNLIMITED:
            yield int(quota) / int(period)


def _groups(own_cgroup: Path) -> list[Path]:
    try:
        lines = own_cgroup.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    own = next((Path(line.removeprefix(_V2)) for line in lines if line.startswith(_V2)), None)
    return [] if own is None else [own, *own.parents]
