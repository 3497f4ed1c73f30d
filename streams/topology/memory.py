"""Memory: how often Python looks for circles in it, and giving back what is free again."""

import ctypes
from typing import Final

GC_THRESHOLDS: Final = (100_000, 50, 50)
"""Facts and lists are trees without circles, and there are many: looking for circles as often as Python does by default costs
a fifth of the reconciler's time. What does become garbage in circles is still found, later."""

_libc = ctypes.CDLL(None)


def give_back() -> None:
    """Ask the C library to give back what is free: after a restore it keeps several times of what is in use.

    Only glibc can be asked (``malloc_trim(3)``); others do it by themselves.
    """
    trim = getattr(_libc, "malloc_trim", None)
    if trim is not None:
        trim(0)
