"""A budget lets work go on until its time is up or somebody ends it."""

import time

import pytest

from models.errors import Stopped
from models.runtime.budget import UNLIMITED, Budget


def test_work_without_a_limit_goes_on() -> None:
    UNLIMITED.check()
    assert UNLIMITED.max_faces is None


def test_time_that_is_up_ends_the_work() -> None:
    budget = Budget(seconds=0.05, max_faces=3)
    budget.check()
    time.sleep(0.06)
    with pytest.raises(Stopped, match="no more time"):
        budget.check()
    assert budget.max_faces == 3


def test_whoever_grants_it_may_end_it_and_the_first_reason_counts() -> None:
    budget = Budget()
    budget.stop("nobody who waits")
    budget.stop("something else")
    with pytest.raises(Stopped, match="nobody who waits"):
        budget.check()
