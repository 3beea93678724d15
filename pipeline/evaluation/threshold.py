"""Read the recognition threshold that the last evaluation set."""

from models.errors import DataError
from models.face_networks.insightface_pack import short_name
from pipeline.config.identity import IdentityParams
from pipeline.project.paths import Paths


def read_recognition_threshold(paths: Paths, identity: IdentityParams) -> float:
    """Read the similarity by the independent encoder from which a face counts as recognised.

    Raises:
        DataError: evaluate has not run, has set none, or judged by another encoder than the parameters name.
    """
    from pipeline.evaluation.results import EvaluateReport
    from pipeline.project.files import read_report

    report, judge = read_report(paths.evaluation_report, EvaluateReport, stage="evaluate"), short_name(identity.judge)
    threshold, judged_by = report.thresholds.get("independent"), report.encoders.get("independent")
    if threshold is None:
        raise DataError(f"a recognition threshold in {paths.evaluation_report}", "none", "run the stage evaluate again")
    if judged_by != judge:
        expected = f"a recognition threshold by {judge} in {paths.evaluation_report}"
        raise DataError(expected, f"one by {judged_by}", "run the stage evaluate again")
    return threshold
