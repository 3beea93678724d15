"""One stage through the real DVC, in a small project of its own."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from models.errors import LikenessError, ServiceUnavailable
from pipeline.workspaces.dvc import environment, reproduce, stages_of
from tests.conftest import ROOT

DVC_YAML = """
stages:
  copy:
    cmd: python copy_a.py
    deps: [a.txt]
    outs: [b.txt]
  refuse:
    cmd: python refuse.py
  away:
    cmd: python away.py
  long:
    cmd: python long.py
"""
SCRIPTS = {
    "copy_a.py": "open('b.txt', 'w').write(open('a.txt').read())",
    "refuse.py": "import sys; print('refuse: expected a; got b; do c', file=sys.stderr); sys.exit(1)",
    "away.py": "import sys; sys.exit(75)",
    "long.py": "import os, time; print('begun', os.getpid(), flush=True); time.sleep(300)",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DVC project without git."""
    root = tmp_path_factory.mktemp("project")
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "-q"], cwd=root, check=True, env=environment())
    for name, text in {**SCRIPTS, "dvc.yaml": DVC_YAML}.items():
        (root / name).write_text(text, encoding="utf-8")
    (root / "a.txt").write_text("one", encoding="utf-8")
    return root


def test_a_stage_runs_once_and_again_when_forced(project: Path) -> None:
    assert reproduce("copy", project).ran
    assert (project / "b.txt").read_text(encoding="utf-8") == "one"
    assert not reproduce("copy", project).ran
    assert reproduce("copy", project, force=True).ran  # with the same result


def test_dvc_needs_no_folder_that_all_users_share(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a container /var/tmp cannot be written."""
    monkeypatch.delenv("DVC_SITE_CACHE_DIR", raising=False)
    monkeypatch.setenv("LIKENESS_CACHE", str(tmp_path / "cache"))
    assert reproduce("copy", project, force=True).ran
    assert list((tmp_path / "cache" / "dvc").iterdir())
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "own"))
    assert environment()["DVC_SITE_CACHE_DIR"] == str(tmp_path / "own")


def test_a_result_from_the_run_cache_is_no_run(project: Path) -> None:
    results = []
    for text in ("two", "three", "two"):
        (project / "a.txt").write_text(text, encoding="utf-8")
        results.append(reproduce("copy", project).ran)
        assert (project / "b.txt").read_text(encoding="utf-8") == text
    assert results == [True, True, False]


def test_what_the_stage_said_is_the_error(project: Path) -> None:
    with pytest.raises(LikenessError, match="expected a; got b; do c"):
        reproduce("refuse", project)


def test_a_service_that_did_not_answer_may_be_tried_again(project: Path) -> None:
    with pytest.raises(ServiceUnavailable):
        reproduce("away", project)


def test_the_log_says_when_a_stage_starts_and_how_it_ended(project: Path, caplog: pytest.LogCaptureFixture) -> None:
    (project / "a.txt").write_text("logged", encoding="utf-8")
    with caplog.at_level("INFO", "pipeline.workspaces.dvc"):
        reproduce("copy", project)
        reproduce("copy", project)
    lines = [record.getMessage().strip() for record in caplog.records]
    assert lines[0] == "copy: started"
    assert [line.split(" after ")[0] for line in lines if " after " in line] == ["copy: done", "copy: up to date"]


INTERRUPTED = """
import logging, pathlib, signal, sys
from pipeline.project.process import end_in_order_on_sigterm
from pipeline.workspaces.dvc import reproduce
end_in_order_on_sigterm()
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
logging.basicConfig(level="INFO", format="%(message)s", stream=sys.stdout)
reproduce("long", pathlib.Path(sys.argv[1]))
"""


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGTERM, 143), (signal.SIGINT, -signal.SIGINT), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_a_signal_to_the_caller_alone_ends_the_stage_too(project: Path, number: signal.Signals, status: int) -> None:
    command = [sys.executable, "-c", INTERRUPTED, str(project)]
    environment_ = environment() | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, env=environment_, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as one:
        assert one.stdout is not None
        stage = psutil.Process(next(int(line.split()[-1]) for line in one.stdout if "begun" in line))
        started = psutil.Process(one.pid).children(recursive=True)
        one.send_signal(number)
        assert one.wait(120) == status
    assert stage in started
    _, left = psutil.wait_procs(started, timeout=60)
    assert not [process for process in left if process.status() != psutil.STATUS_ZOMBIE]


def test_stages_are_those_of_dvc_yaml_and_none_without_it(project: Path, tmp_path: Path) -> None:
    assert set(stages_of(project)) == {"copy", "refuse", "away", "long"}
    assert stages_of(tmp_path) == {}
