"""The verdict: given once, logged, and written on the version with these weights."""

from pathlib import Path

import pytest

from monitoring.log.production_log import open_log
from monitoring.user_study.conclude import Outcome, conclude
from monitoring.user_study.store import StudyStore, pseudonym
from pipeline.project.paths import Paths
from tests.monitoring.user_study.site import NOW, lay_out, simulate, study

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow")
PAIR = ("champion", "challenger")


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    for name in ("LIKENESS_MLFLOW_URI", "LIKENESS_LOG_URL", "LIKENESS_LOG_KEY"):
        monkeypatch.delenv(name, raising=False)
    return Paths(tmp_path)


def answered(paths: Paths, raters: int, better: float, wanted: int = 6) -> StudyStore:
    """A study that simulated raters have answered."""
    design = study(people=12, methods=PAIR, trials=18, invented_share=0, checks=2, raters=wanted)
    store = lay_out(design, paths.studies / design.study_id)
    add(store, raters, better)
    return store


def add(store: StudyStore, raters: int, better: float) -> None:
    known = len(store.raters())
    _, answers = simulate(store.study, {"champion": 0.0, "challenger": better}, known + raters, seed=3)
    names = {}
    for number in range(known, known + raters):
        secret = store.join(NOW)
        assert secret is not None
        names[f"r{number:03d}"] = pseudonym(secret)
    for answer in answers:
        if answer.rater in names:
            store.answer(answer.model_copy(update={"rater": names[answer.rater]}))


def concluded(store: StudyStore, paths: Paths) -> Outcome:
    return conclude(store, paths, "portrait-restorer", NOW)


def test_too_few_raters_leave_no_verdict(paths: Paths) -> None:
    outcome = concluded(answered(paths, raters=5, better=2.0), paths)
    assert (outcome.final, outcome.report.verdict) == (False, "too few raters")
    assert not paths.production_log.exists()


@pytest.mark.parametrize(("better", "verdict"), [(2.0, "not worse"), (-2.0, "not shown")])
def test_the_first_verdict_stands_and_is_logged_once(paths: Paths, better: float, verdict: str) -> None:
    store = answered(paths, raters=6, better=better)
    assert concluded(store, paths).report.verdict == verdict
    add(store, 12, -3 * better)  # the others see it quite differently
    again = concluded(store, paths)
    assert (again.final, again.report.verdict, again.report.counted) == (True, verdict, 18)
    with open_log(paths) as log:
        (entry,) = log.entries("study")
        assert log.verify().whole
    assert (entry.key, entry.body["verdict"], entry.body["raters"]) == (store.study.study_id, verdict, 6)
    assert entry.body["digests"]["challenger"] == "d" * 64
