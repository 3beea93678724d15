"""Two scores on four made-up pairs."""

import pandas as pd
import pytest

from pipeline.ablation.disagreement import IDENTITY, disagreement, pairs_of


def rows() -> pd.DataFrame:
    lines = [  # mask, method, pixel MSE, similarity, LPIPS
        ("both better", "champion", 0.1, 0.9, 0.1),
        ("both better", "telea", 0.2, 0.5, 0.5),
        ("sharper person", "champion", 0.4, 0.8, 0.2),
        ("sharper person", "telea", 0.2, 0.6, 0.4),
        ("blurred stranger", "champion", 0.1, 0.3, 0.7),
        ("blurred stranger", "telea", 0.4, 0.7, 0.3),
        ("level", "champion", 0.3, 0.4, 0.6),
        ("level", "telea", 0.3, 0.2, 0.8),
    ]
    return pd.DataFrame(lines, columns=["mask_id", "method", "pixel_mse", IDENTITY, "lpips"])


def test_gains_by_hand() -> None:
    gains = pairs_of(rows(), "champion", "telea")
    assert gains.loc["sharper person", "error_gain"] == pytest.approx(-0.5)
    assert gains.loc["blurred stranger", "error_gain"] == pytest.approx(0.75)
    assert gains.loc["blurred stranger", "identity_gain"] == pytest.approx(-0.4)
    assert gains["disagree"].to_dict() == {
        "both better": False,
        "sharper person": True,
        "blurred stranger": True,
        "level": False,
    }


def test_the_strongest_contradictions_come_first() -> None:
    report = disagreement(rows(), "champion", "telea", 5)
    assert (report.pairs, report.disagree) == (4, 0.5)
    assert report.examples == ("blurred stranger", "sharper person")  # 0.75 x 0.4 against 0.5 x 0.2
    assert disagreement(rows(), "champion", "telea", 1).examples == ("blurred stranger",)
    assert report.lpips_correlation == pytest.approx(1.0)  # LPIPS was made 1 - similarity
    assert -1 < report.rank_correlation < 1
