"""Threads of NumPy's linear algebra."""

from threadpoolctl import threadpool_info

from models.runtime.threads import one_thread


def openblas_threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_one_thread_within_and_as_before_after() -> None:
    with one_thread():
        before = openblas_threads()  # by now NumPy and SciPy are loaded
    outside = openblas_threads()
    with one_thread():
        assert openblas_threads() == before == {1}
    assert openblas_threads() == outside
