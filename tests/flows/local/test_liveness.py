"""What counts as hung: silence in a row, after a first answer, of a process that still runs."""

import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from flows.local.liveness import Liveness
from flows.local.services import HOST, Part, is_answering
from tests.flows.prefect_site import free_port, until

SLEEP = (sys.executable, "-c", "import time; time.sleep(300)")


def started(part: Part) -> Iterator[tuple[Part, psutil.Process]]:
    with subprocess.Popen(part.command, stderr=subprocess.DEVNULL) as process:
        yield part, psutil.Process(process.pid)
        process.kill()


@pytest.fixture
def page() -> Iterator[tuple[Part, psutil.Process]]:
    port = free_port(1)
    command = (sys.executable, "-m", "http.server", str(port), "--bind", HOST)
    yield from started(Part("page", command, f"http://{HOST}:{port}", "/"))


@pytest.fixture
def worker() -> Iterator[tuple[Part, psutil.Process]]:
    yield from started(Part("worker", SLEEP))


def looks(liveness: Liveness, one: tuple[Part, psutil.Process], times: int) -> bool:
    for _ in range(times):
        liveness.look({one[1].pid: one})
    return liveness.is_hung(one[1].pid)


def test_a_part_that_has_not_answered_yet_is_starting(page: tuple[Part, psutil.Process]) -> None:
    page[1].suspend()
    assert not looks(Liveness(threshold=1), page, 2)


def test_only_silence_in_a_row_counts(page: tuple[Part, psutil.Process]) -> None:
    liveness = Liveness(threshold=2)
    until(lambda: is_answering(page[0]), 60, "the page")
    assert not looks(liveness, page, 1)
    for _ in range(2):
        page[1].suspend()
        assert not looks(liveness, page, 1)
        page[1].resume()
        assert not looks(liveness, page, 1)
    page[1].suspend()
    assert looks(liveness, page, 2)


def test_a_part_without_an_address_hangs_while_it_is_stopped(worker: tuple[Part, psutil.Process]) -> None:
    liveness = Liveness(threshold=2)
    assert not looks(liveness, worker, 3)
    worker[1].suspend()
    until(lambda: worker[1].status() == psutil.STATUS_STOPPED, 60, "the stop")
    assert looks(liveness, worker, 2)
    worker[1].resume()
    until(lambda: worker[1].status() != psutil.STATUS_STOPPED, 60, "the resumption")
    assert not looks(liveness, worker, 1)


def test_the_next_process_of_a_part_begins_anew(page: tuple[Part, psutil.Process]) -> None:
    liveness = Liveness(threshold=1)
    until(lambda: is_answering(page[0]), 60, "the page")
    looks(liveness, page, 1)
    page[1].suspend()
    assert looks(liveness, page, 1)
    liveness.look({})
    assert not liveness.is_hung(page[1].pid)
    assert not looks(liveness, page, 1)
