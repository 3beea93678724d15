"""Give freed memory back to the system."""

import ctypes


def give_back_memory() -> None:
    """Return to the system what the C library keeps of freed memory; where it cannot, nothing happens.

    After networks were loaded glibc keeps a hundred megabytes, beside which a large photo has to find room.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
