"""Log rows become one value per subject and outcome."""

import numpy as np
import pandas as pd
import pytest

from monitoring.ab.outcomes import identity_similarity, measure_outcomes, select_trial
from restoration.modes import UNFILLED, Mode
from tests.monitoring.ab.rows import log_rows

C, T = ("1", "champion"), ("2", "challenger")


def served(*requests: tuple[str, tuple[str, str], float]) -> pd.DataFrame:
    """Requests as (subject, (version, arm), similarity), in order."""
    rows = log_rows(len(requests), 5)
    rows["subject"] = [subject for subject, _, _ in requests]
    rows["model_version"], rows["arm"] = zip(*(arm for _, arm, _ in requests), strict=True)
    return rows.assign(similarity_independent=[value for _, _, value in requests])


def test_subjects_are_counted_once_with_their_mean() -> None:
    rows = served(("o", T, 0.1), ("a", C, 0.4), ("b", T, 0.9), ("a", C, 0.8), ("", C, 0.5), ("", T, 0.7))
    found = select_trial(rows, "1", "2", None)
    assert found.requests == {"champion": 3, "challenger": 2}
    assert found.subjects["identity"].tolist() == pytest.approx([0.6, 0.9, 0.5, 0.7])  # two nameless are two
    assert found.subjects["challenger"].tolist() == [False, True, False, True]
    assert found.crossed == 0


def test_the_test_opens_with_the_first_request_that_the_challenger_served() -> None:
    rows = served(("a", C, 0.1), ("b", C, 0.2), ("o", T, 0.3), ("a", C, 0.5), ("o", T, 0.9), ("d", T, 0.6))
    found = select_trial(rows, "1", "2", None)
    assert found.subjects.index.tolist() == ["a", "d"]  # b came too early, o opened it
    assert found.subjects["identity"].tolist() == [0.5, 0.6]
    assert len(select_trial(served(("a", C, 0.1), ("b", C, 0.2)), "1", "2", None).subjects) == 0


def test_other_models_and_crossed_subjects_do_not_count() -> None:
    rows = served(
        ("o", T, 0.1), ("a", C, 0.4), ("a", T, 0.9), ("b", ("7", "champion"), 0.2), ("c", ("1", "challenger"), 0.2)
    )
    found = select_trial(rows, "1", "2", None)
    assert found.crossed == 1
    assert found.subjects["identity"].tolist() == [0.4]


def test_the_original_speaks_before_the_reference_photo() -> None:
    rows = log_rows(
        3, 1, similarity_independent=[0.9, np.nan, np.nan], similarity_reference_independent=[0.5, 0.6, np.nan]
    )
    assert identity_similarity(rows).tolist()[:2] == [0.9, 0.6]
    assert np.isnan(identity_similarity(rows).iloc[2])


def test_outcomes_are_read_from_their_columns() -> None:
    rows = log_rows(
        3, 1, milliseconds=[1.0, np.e, 0.0], lpips=[0.1, np.nan, 0.2], feedback_preferred=["restored", "original", ""],
        feedback_recognised=pd.array([True, False, pd.NA], dtype="boolean"),
    )  # fmt: skip
    table = measure_outcomes(rows, None)
    assert table["latency"].tolist() == pytest.approx([0.0, 1.0, 0.0])
    assert table["preferred"].tolist()[:2] == [1.0, 0.0]
    assert table["recognised"].tolist()[:2] == [1.0, 0.0]
    assert table[["preferred", "recognised"]].iloc[2].isna().all()
    assert table["lpips"].count() == 2


@pytest.mark.parametrize("mode", UNFILLED)
def test_a_photo_in_which_nothing_was_filled_is_no_outcome(mode: Mode) -> None:
    rows = log_rows(
        2, 1, mode=[mode, "inpaint"], similarity_independent=0.9, lpips=0.1, feedback_preferred="restored",
        feedback_recognised=pd.array([True, True], dtype="boolean"),
    )  # fmt: skip
    assert measure_outcomes(rows, None).notna().all(axis=1).tolist() == [False, True]
    assert measure_outcomes(rows, None).iloc[0].isna().all()
