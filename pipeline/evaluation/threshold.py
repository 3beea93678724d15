"""Read the recognition threshold that the last evaluation set."""

from models.errors import DataError
from pipeline.project.paths import Paths


def read_recognition_threshold(paths: Paths) -> float:
    """Read the similarity by the independent encoder from which a face counts as recognised.

    Raises:
        DataError: evaluate has not run, or has set none.
    """
    from pipeline.evaluation.results import EvaluateReport
    from pipeline.project.files import read_report

    threshold = read_report(paths.evaluation_report, EvaluateReport, stage="evaluate").thresholds.get("independent")
    if threshold is None:
        raise DataError(f"a recognition threshold in {paths.evaluation_report}", "none", "run the stage evaluate again")
    return threshold
