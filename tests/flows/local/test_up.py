"""The supervisor: restarts what dies, adopts what a killed one left behind, and never touches anybody else's process.

The parts here are small servers of Python's own; Prefect's server and worker are supervised in test_triggers.py.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from flows.local import up
from flows.local.liveness import Liveness
from flows.local.processes import MARK, NAME, end_marked, find_leader, find_marked, find_process, is_alive, start
from flows.local.services import HOST, Part, child_environment, is_answering, parts
from flows.local.supervisor import Running, Supervisor
from models.errors import Busy, DataError
from pipeline.config.load import write_params
from pipeline.project.paths import Paths
from tests.conftest import ROOT
from tests.flows.prefect_site import free_port, until

pytestmark = pytest.mark.filterwarnings(  # a supervisor that is dropped leaves its children running: that is the test
    "ignore:subprocess .* is still running:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)

MINE = "a-mark-of-this-test"
SLEEP = (sys.executable, "-c", "import time; time.sleep(300)")
PARENT = (sys.executable, "-c", f"import subprocess, time; subprocess.Popen({SLEEP!r}); time.sleep(300)")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Paths]:
    paths = Paths(tmp_path)
    paths.logs.mkdir(parents=True)
    yield paths
    end_marked(MINE, seconds=5)


def page(name: str, port: int) -> Part:
    """A part that serves its folder."""
    command = (sys.executable, "-m", "http.server", str(port), "--bind", HOST)
    return Part(name, command, f"http://{HOST}:{port}", "/")


def supervisor(site: Paths, *wanted: Part) -> Supervisor:
    return Supervisor(site, Running(mark=MINE, port=1), wanted)


def up_and(watcher: Supervisor, true: Callable[[], object], what: str) -> None:
    """Supervise until something is true."""

    def looked() -> bool:
        watcher.tick(time.monotonic())
        return bool(true())

    until(looked, 120, what)


def test_the_mark_finds_orphans_and_nobody_else(site: Paths) -> None:
    mine = start("a", PARENT, MINE, {}, site.logs / "a.log")
    other = start("a", SLEEP, "another mark", {}, site.logs / "b.log")
    until(lambda: len(find_marked(MINE)) == 2, 120, "parent and child")
    mine.kill()
    until(lambda: not is_alive(mine), 120, "the parent is gone")
    (orphan,) = find_marked(MINE)
    assert find_leader(MINE, "a") is None
    end_marked(MINE, seconds=5)
    assert not is_alive(orphan)
    assert is_alive(other)
    other.kill()
    other.wait()


def test_a_process_number_of_somebody_else_is_not_taken_for_the_supervisor() -> None:
    began = psutil.Process().create_time()
    assert find_process(os.getpid(), began) is not None
    assert find_process(os.getpid(), began - 100) is None
    assert find_process(2**22 - 7, began) is None


def test_what_is_killed_is_started_again_with_a_growing_pause(site: Paths) -> None:
    failing = Part("failing", (sys.executable, "-c", "raise SystemExit(3)"))
    watcher = supervisor(site, failing)
    watched = watcher.watched["failing"]
    pauses = []
    for _ in range(8):
        watcher.tick(watched.not_before)
        assert watched.process is not None
        watched.process.wait()
        watcher.tick(watched.not_before + 0.1)
        pauses.append(watched.pause)
        watcher.tick(watched.not_before - 0.1)
        assert watched.process is None
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_part_that_lived_long_starts_again_at_once(site: Paths) -> None:
    watcher = supervisor(site, Part("sleeper", SLEEP))
    watcher.tick(0.0)
    first = watcher.watched["sleeper"].process
    assert first is not None
    first.kill()
    first.wait()
    watcher.tick(100.0)
    second = watcher.watched["sleeper"].process
    assert second is not None
    assert second.pid != first.pid
    assert watcher.watched["sleeper"].pause == 0


def test_what_hangs_is_killed_and_started_again(site: Paths) -> None:
    hanging = page("hanging", free_port(1))
    watcher = Supervisor(site, Running(mark=MINE, port=1), (hanging,), liveness=Liveness(threshold=1))
    up_and(watcher, lambda: is_answering(hanging), "the first answer")
    first = watcher.watched["hanging"].process
    assert first is not None
    probed = {first.pid: (hanging, first)}
    watcher.liveness.look(probed)
    first.suspend()
    watcher.tick(time.monotonic())
    assert is_alive(first)
    watcher.liveness.look(probed)
    up_and(watcher, lambda: is_answering(hanging), "another process")
    second = watcher.watched["hanging"].process
    assert second is not None
    assert second.pid != first.pid
    assert not is_alive(first)


def test_parts_wait_for_what_they_need(site: Paths) -> None:
    port = free_port(1)
    first, then = page("first", port), Part("then", SLEEP, after=("first",))
    watcher = supervisor(site, then, first)
    watcher.tick(0.0)
    assert watcher.watched["then"].process is None
    up_and(watcher, lambda: watcher.watched["then"].process, "the second part")
    assert is_answering(first)


def test_what_is_done_once_is_not_done_again_unless_it_failed(site: Paths) -> None:
    script = "import pathlib, sys; p = pathlib.Path('n'); p.open('a').write('x'); sys.exit(len(p.read_text()) < 2)"
    watcher = supervisor(site, Part("once", (sys.executable, "-c", script), once=True))
    up_and(watcher, lambda: watcher.watched["once"].done, "the second try")
    watcher.tick(time.monotonic() + 999)
    assert (site.logs / "n").read_text(encoding="utf-8") == "xx"


def test_who_waits_for_a_part_that_ends_waits_for_its_end(site: Paths) -> None:
    first = Part("first", (sys.executable, "-c", "import time; time.sleep(1)"), once=True)
    watcher = supervisor(site, Part("then", SLEEP, after=("first",)), first)
    watcher.tick(0.0)
    watcher.tick(0.1)
    assert watcher.watched["then"].process is None
    up_and(watcher, lambda: watcher.watched["then"].process, "the second part")
    assert watcher.watched["first"].done


def test_the_worker_waits_until_deployments_lead_here(site: Paths) -> None:
    (worker,) = (part for part in parts(site, 5000) if part.name == "worker")
    assert "deploy" in worker.after


def test_a_copy_takes_nothing_of_the_original_s_processes_for_its_own(site: Paths, tmp_path: Path) -> None:
    theirs = start("page", SLEEP, MINE, {}, site.logs / "page.log")
    up._write(site, Running(mark=MINE, port=5000, supervisor=theirs.pid, supervisor_began=theirs.create_time()))
    copy = Paths(tmp_path.with_name("copy"))
    shutil.copytree(site.root, copy.root)
    assert not up.is_started(copy)
    assert not up.down(copy)
    assert is_alive(theirs)
    assert (up.read_running(copy).mark == MINE, up.read_running(copy).port) == (False, 5000)
    assert up.read_running(site).mark == MINE
    assert up.down(site)
    assert not is_alive(theirs)


def test_a_moved_workspace_stops_what_runs_since_before(site: Paths) -> None:
    orphan = start("page", SLEEP, MINE, {}, site.logs / "page.log")
    up._write(site, Running(mark=MINE, port=5000))
    moved = Paths(site.root.rename(site.root.with_name("moved")))
    assert up.read_running(moved).mark == MINE
    assert up.down(moved)
    assert not is_alive(orphan)


def test_mlflow_serves_the_artifacts_of_the_workspace_and_takes_the_hosts_of_its_address(
    site: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    def command() -> tuple[Part, dict[str, str]]:
        (part,) = (part for part in parts(site, 5000) if part.name == "mlflow")
        options = part.command[4:]
        return part, dict(zip(options[::2], options[1::2], strict=True))

    monkeypatch.delenv("LIKENESS_MLFLOW_ADDRESS", raising=False)
    part, options = command()
    assert options["--artifacts-destination"] == str(site.mlflow_artifacts)
    assert (part.ready, "--allowed-hosts" in options) == ("/health", False)
    monkeypatch.setenv("LIKENESS_MLFLOW_ADDRESS", "https://tools.example.org:8443/mlflow/")
    part, options = command()
    assert (part.url, part.ready) == ("http://127.0.0.1:5001", "/health")
    assert {"tools.example.org", "tools.example.org:*", "127.0.0.1:*"} <= set(options["--allowed-hosts"].split(","))
    assert options["--cors-allowed-origins"] == "https://tools.example.org:8443"
    assert "--static-prefix" not in options  # its page asks for everything relative to its own address
    assert child_environment(site, 5000)["LIKENESS_MLFLOW_ADDRESS"] == "https://tools.example.org:8443/mlflow/"


def test_after_kill_9_of_the_supervisor_the_next_one_takes_over(site: Paths) -> None:
    part = page("page", free_port(1))
    before = supervisor(site, part)
    up_and(before, lambda: is_answering(part), "the page")
    killed = before.watched["page"].process  # `before` never looks again: as good as dead
    after = supervisor(site, part)
    assert after.adopt() == ["page"]
    after.tick(time.monotonic())
    taken = after.watched["page"].process
    assert killed is not None
    assert taken is not None
    assert taken.pid == killed.pid
    taken.kill()
    killed.wait()
    up_and(after, lambda: is_answering(part), "a new one")
    after.stop()
    assert find_marked(MINE) == []


def test_an_orphan_that_does_not_answer_is_ended(site: Paths) -> None:
    mute = start("page", SLEEP, MINE, {}, site.logs / "page.log")
    watcher = supervisor(site, page("page", free_port(1)))
    assert watcher.adopt() == []
    assert not is_alive(mute)


def test_a_worker_s_runs_go_on_without_it(site: Paths) -> None:
    worker = start("worker", PARENT, MINE, {}, site.logs / "worker.log")
    until(lambda: len(find_marked(MINE)) == 2, 120, "worker and run")
    worker.kill()
    worker.wait()
    (run,) = find_marked(MINE)
    watcher = supervisor(site, Part("worker", SLEEP))
    assert watcher.adopt() == []
    watcher.tick(0.0)
    assert is_alive(run)


def test_a_port_that_somebody_else_has_is_named_before_anything_starts(site: Paths) -> None:
    port = free_port(2)
    foreign = subprocess.Popen(
        [sys.executable, "-m", "http.server", str(port), "--bind", HOST], stderr=subprocess.DEVNULL
    )
    try:
        until(lambda: is_answering(page("mlflow", port)), 120, "the foreign server")
        watcher = supervisor(site, page("mlflow", port))
        watcher.adopt()
        with pytest.raises(Busy, match=rf"free port for mlflow; got http://127.0.0.1:{port} used .* --port"):
            watcher.refuse_taken_ports()
        assert foreign.poll() is None
    finally:
        foreign.kill()
        foreign.wait()


def test_one_supervisor_in_a_root_and_down_stops_it(site: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    part = page("page", free_port(1))
    script = f"""
from pathlib import Path
from flows.local import up
from flows.local.services import Part
from pipeline.project.paths import Paths
up.parts = lambda paths, port: ({part!r},)
up.up(Paths(Path({str(site.root)!r})), None, print)
"""
    assert not up.down(site)
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.DEVNULL)
    threading.Thread(target=process.wait, daemon=True).start()
    until(lambda: is_answering(part), 60, "the page")
    assert site.production_log.is_file()  # made, or migrated, before anything starts
    assert up.is_up(site)
    told = json.loads(site.running.read_text(encoding="utf-8"))
    assert told["supervisor"] == process.pid
    with pytest.raises(Busy, match="`likeness down` stops it"):
        up.up(site, None, print)
    up.refuse_other_port(site, told["port"])
    with pytest.raises(Busy, match=f"at port {told['port']}; `likeness down --root"):
        up.refuse_other_port(site, told["port"] + 100)

    os.kill(process.pid, signal.SIGKILL)
    until(lambda: not up.is_up(site), 120, "the lock is free")
    assert is_answering(part)
    assert up.down(site)
    assert not is_answering(part)
    assert find_marked(told["mark"]) == []
    assert not up.down(site)


def test_everything_lies_on_loopback_in_one_state_folder(site: Paths) -> None:
    planned = {part.name: part for part in parts(site, 5000)}
    assert {part.url for part in planned.values() if part.url} == {f"http://{HOST}:{5000 + n}" for n in range(4)}
    assert all(HOST in part.command for part in planned.values() if part.url)
    assert str(site.production) in planned["service"].command
    assert "--open" in planned["service"].command
    environment = child_environment(site, 5000)
    assert environment["PREFECT_HOME"] == str(site.state / "prefect")
    assert environment["PREFECT_API_URL"] == "http://127.0.0.1:5000/api"


def test_prefect_deletes_runs_that_ended_before_the_days_of_the_parameters(
    site: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect.settings.models.server.services import ServerServicesDBVacuumSettings

    write_params(ROOT / "params.yaml", site.params, {"operate.keep_runs_days": 30})
    for name, value in child_environment(site, 5000).items():
        monkeypatch.setenv(name, value)
    read = ServerServicesDBVacuumSettings()
    assert (read.retention_period.days, read.enabled_vacuum_types) == (30, {"events", "flow_runs", "orphans"})


@pytest.mark.parametrize("content", ["", "{", "[]", '{"mark": 1}'])
def test_a_damaged_record_is_named(site: Paths, content: str) -> None:
    site.running.write_text(content)
    for call in (lambda: up.down(site), lambda: up.up(site, None, print), lambda: up.lines(site)):
        with pytest.raises(DataError, match=r"up\.json; got a damaged file; delete it"):
            call()


def test_the_service_asks_for_tokens_once_pictures_are_kept(site: Paths) -> None:
    shutil.copy(ROOT / "params.yaml", site.root)

    def command() -> tuple[str, ...]:
        return next(part.command for part in parts(site, 5000) if part.name == "service")

    (site.kept / "person" / "request").mkdir(parents=True)
    assert "--open" in command()
    (site.kept / "person" / "request" / "damaged.png").write_bytes(b"")
    assert "--open" not in command()
    assert "likeness token new" in up.lines(site)[-1]
    shutil.rmtree(site.kept)
    assert "--open" in command()
    before, key, after = site.params.read_text(encoding="utf-8").rpartition('location: ""')
    site.params.write_text(f'{before}{key[:-1]}elsewhere"{after}', encoding="utf-8")
    assert "--open" not in command()  # as soon as somebody consents, something is kept there


def test_the_service_asks_for_tokens_where_it_has_public_names(site: Paths) -> None:
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    assert text.count("hosts: []") == 1
    site.params.write_text(text.replace("hosts: []", "hosts: [likeness.example.org]"), encoding="utf-8")
    assert "--open" not in next(part.command for part in parts(site, 5000) if part.name == "service")


def test_a_marked_process_knows_its_name(site: Paths) -> None:
    process = start("a", SLEEP, MINE, {"OWN": "1"}, site.logs / "a.log")
    until(lambda: MARK in process.environ(), 30, "the new program has its environment")
    found = process.environ()
    assert (found[MARK], found[NAME], found["OWN"]) == (MINE, "a", "1")
