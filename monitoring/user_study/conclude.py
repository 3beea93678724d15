"""Report on a study in a checkout, and record its verdict once."""

from datetime import datetime

from monitoring.log.production_log import open_log
from monitoring.user_study.report import StudyReport, make_report
from monitoring.user_study.schema import Frozen
from monitoring.user_study.store import StudyStore
from pipeline.project.files import write_text
from pipeline.project.paths import Paths
from pipeline.registry.user_study_tag import FAILED, PASSED, TAG, record_study

_FINAL = (PASSED, FAILED)


class Outcome(Frozen):
    """A report with what became of its verdict: `versions` of the registry carry it since now."""

    report: StudyReport
    final: bool
    versions: tuple[str, ...]


def conclude(store: StudyStore, paths: Paths, model_name: str, now: datetime) -> Outcome:
    """Report; the first verdict with enough raters is stored, logged and written on the version.

    Later answers refine the figures, not that verdict: looking again until it suits is of no use.

    Raises:
        DataError: the study or the log is damaged.
        ServiceUnavailable: MLflow or the log's database does not answer.
    """
    made = make_report(store.study, store.raters(), store.answers())
    file = store.folder / "verdict.json"
    if not file.exists():
        if made.verdict not in _FINAL:
            return Outcome(report=made, final=False, versions=())
        with open_log(paths) as log:
            if not any(entry.key == store.study.study_id for entry in log.entries("study")):  # one that was cut short
                log.record("study", store.study.study_id, _entry(made), now)
        write_text(file, made.model_dump_json(indent=1) + "\n")
    first = StudyReport.model_validate_json(file.read_bytes())
    tagged = record_study(paths, model_name, first.digests["challenger"], _tags(first))
    current = made.model_copy(update={"verdict": first.verdict})
    return Outcome(report=current, final=True, versions=tuple(tagged))


def _tags(made: StudyReport) -> dict[str, str]:
    return {TAG: made.verdict, "study_id": made.study_id, "study_preference": str(made.better)}


def _entry(made: StudyReport) -> dict[str, object]:
    """Build what the production log stores: figures, no rater and no picture."""
    better = None if made.better is None else made.better.model_dump()
    return {"verdict": made.verdict, "better": better, "raters": made.counted, "digests": made.digests}
