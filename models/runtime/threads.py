"""Run NumPy's and SciPy's linear algebra on one thread.

Their matrices here are small, and the threads of OpenBLAS spin while they wait: on two cores a restoration took
twice the CPU time for the same wall time.
"""

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController


def one_thread() -> AbstractContextManager[object]:
    """Keep OpenBLAS on the caller's thread for the block (0.04 ms); PyTorch is not touched."""
    limited: AbstractContextManager[object] = _controller().limit(limits=1, user_api="blas")
    return limited


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
