"""The recognition threshold that the last evaluation set."""

from pipeline.layout import Paths


def read_recognition_threshold(paths: Paths) -> float:
    """Read the similarity by the independent encoder from which a face counts as recognised.

    Raises:
        DataError: evaluate has not run.
    """
    from pipeline.figures import EvaluateReport
    from pipeline.outputs import read_report

    return read_report(paths.evaluation_report, EvaluateReport, stage="evaluate").thresholds["independent"]
