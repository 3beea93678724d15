"""What a cycle's place is, what is remembered of it, and who hears of its failure."""

import subprocess
from pathlib import Path

import pytest

from flows.steps.checkouts import choose_checkout, record_cycle_result
from flows.steps.reports import CycleReport
from pipeline.config.load import load_params
from pipeline.evaluation.gate_report import GateReport
from pipeline.project.paths import Paths
from pipeline.workspaces.cycle_checkouts import cycle_in_use, cycle_records, resolve_revision, revision_source
from tests.flows.prefect_site import project as make_project

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::UserWarning")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    for name in ("WEBHOOK", "SMTP", "MAIL_TO", "LOG_URL", "LOG_KEY"):
        monkeypatch.delenv(f"LIKENESS_{name}", raising=False)
    return make_project(tmp_path / "project")


def report(version: str, *, promoted: bool) -> CycleReport:
    """Of a cycle in which every stage was up to date."""
    gate = GateReport(passed=promoted, challenger="0" * 64, rows=())
    return CycleReport(
        reason="drift", run_id="r", seconds={}, cached=(), orchestration_seconds=0.0, gate=gate, version=version,
        promoted=promoted,
    )  # fmt: skip


def test_by_hand_a_cycle_works_where_it_was_called(site: Paths) -> None:
    assert choose_checkout.fn(site.root, "") == site.root
    record_cycle_result(site.root, site.root, report("1", promoted=True), {})
    assert cycle_records(site) == []


def test_a_deployed_cycle_is_followed_by_production_once_its_model_is_champion(site: Paths) -> None:
    place = choose_checkout.fn(site.root, resolve_revision(revision_source(site), ""))
    assert place.parent == site.cycles
    (place / "data" / "portraits").mkdir(parents=True)
    (site.portraits).mkdir(parents=True)
    site.portrait_rows.touch()  # production has data already: a mere challenger's are not taken
    record_cycle_result(site.root, place, report("2", promoted=False), {"train.epochs": 9})
    assert cycle_in_use(site) == ""
    record_cycle_result(site.root, place, report("2", promoted=True), {"train.epochs": 9})
    assert cycle_in_use(site) == place.name
    assert load_params(site.params).train.epochs == 9
    status = subprocess.run(["git", "status", "--porcelain"], cwd=site.root, check=True, capture_output=True)
    assert status.stdout == b"?? data/\n"  # which this project does not ignore


def test_production_without_any_data_takes_the_first_there_are(site: Paths) -> None:
    place = choose_checkout.fn(site.root, resolve_revision(revision_source(site), ""))
    (place / "data").mkdir()
    record_cycle_result(site.root, place, report("1", promoted=False), {})
    assert cycle_in_use(site) == place.name
