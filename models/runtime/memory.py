"""Give freed memory back to the system; the C library would keep much of it.

Both do nothing where the C library is another one than glibc.
"""

import ctypes

_MMAP_THRESHOLD = -3  # glibc's M_MMAP_THRESHOLD
_LARGE = 4 << 20
"""Bytes from which a block is mapped on its own."""


def map_large_blocks() -> None:
    """Let each block from 4 MiB on be mapped on its own, so that it is given back as soon as it is freed.

    glibc raises that size to 32 MiB as blocks are freed, and then keeps what lies between others.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGE)


def give_back_memory() -> None:
    """Return what the C library keeps of freed memory: a hundred megabytes after networks were loaded."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
