"""The threshold of a recognised face is one of the encoder that judges."""

from pathlib import Path

import pytest

from models.errors import DataError
from pipeline.config.identity import IdentityParams
from pipeline.evaluation.results import EvaluateReport
from pipeline.evaluation.threshold import read_recognition_threshold
from pipeline.project.files import write_text
from pipeline.project.paths import Paths
from tests.pipeline.registry.site import evaluate_report

BY_DLIB = IdentityParams(edition="research", training="sface", judge="dlib", detector="yunet")


def report(paths: Paths, **thresholds: float) -> None:
    made: EvaluateReport = evaluate_report("0" * 64, 0.5).model_copy(update={"thresholds": thresholds})
    write_text(paths.evaluation_report, made.model_dump_json())


def test_the_judges_threshold_is_read(tmp_path: Path) -> None:
    report(Paths(tmp_path), independent=0.4, training=0.3)
    assert read_recognition_threshold(Paths(tmp_path), BY_DLIB) == 0.4


def test_another_judge_asks_for_another_evaluation(tmp_path: Path) -> None:
    report(Paths(tmp_path), independent=0.4)
    by_pack = BY_DLIB.model_copy(update={"judge": "buffalo_l"})
    with pytest.raises(DataError, match=r"threshold by buffalo_l in .*; got one by dlib; run the stage evaluate again"):
        read_recognition_threshold(Paths(tmp_path), by_pack)


def test_no_threshold(tmp_path: Path) -> None:
    report(Paths(tmp_path))
    with pytest.raises(DataError, match="got none; run the stage evaluate again"):
        read_recognition_threshold(Paths(tmp_path), BY_DLIB)
