"""Memory that is free again goes back to the system."""

import ctypes

_libc = ctypes.CDLL(None)


def give_back() -> None:
    """Ask the C library to give back what is free: after a restore it keeps several times of what is in use.

    Only glibc can be asked (``malloc_trim(3)``); others do it by themselves.
    """
    trim = getattr(_libc, "malloc_trim", None)
    if trim is not None:
        trim(0)
