"""From rows to tables: every number here was worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from models.errors import DataError
from models.metrics.names import MEANS, bucket_names
from pipeline.evaluation.aggregate import bucket_of, compare, tabulate
from pipeline.evaluation.results import summarise

EDGES = (0.0, 0.15, 0.3, 0.6, 1.0)


@pytest.fixture
def rows() -> pd.DataFrame:
    """Three masks, two methods."""
    frame = pd.DataFrame(
        {
            "mask_id": ["m1", "m2", "m3", "m3", "m1", "m2"],  # another order for the second method
            "identity": ["ann", "bob", "ann", "ann", "ann", "bob"],
            "method": ["challenger"] * 3 + ["telea"] * 3,
            "bucket": ["0.0-0.1", "0.0-0.1", "0.1-0.2", "0.1-0.2", "0.0-0.1", "0.0-0.1"],
            "lpips": [0.1, 0.3, 0.5, 1.0, 0.2, 0.4],
            "known_pixels_changed": [0, 7, 0, 0, 0, 0],
            "recognised_independent": [True, False, True, True, True, True],
        }
    )
    return frame.assign(**{name: 1.0 for name in MEANS if name not in frame})


def test_means_by_bucket(rows: pd.DataFrame) -> None:
    tables = tabulate(rows, "bucket", 200, seed=1)
    challenger = tables["challenger"]
    assert list(challenger) == ["all", "0.0-0.1", "0.1-0.2"]
    assert challenger["all"]["lpips"].value == pytest.approx(0.3)
    assert challenger["0.0-0.1"]["lpips"].value == pytest.approx(0.2)
    assert challenger["0.0-0.1"]["lpips"].n == 2
    assert tables["telea"]["0.1-0.2"]["lpips"].value == pytest.approx(1.0)
    assert challenger["all"]["recognised_independent"].value == pytest.approx(2 / 3)


def test_interval_of_the_whole_by_hand(rows: pd.DataFrame) -> None:
    # Two identities: ann (sum 0.6, n 2) and bob (0.3, 1). Draws: ann twice 0.3, bob twice 0.3, one of each 0.3.
    figure = tabulate(rows, "bucket", 200, seed=1)["challenger"]["all"]["lpips"]
    assert (figure.low, figure.high) == pytest.approx((0.3, 0.3))


def test_one_identity_in_a_bucket_has_no_interval(rows: pd.DataFrame) -> None:
    figure = tabulate(rows, "bucket", 200, seed=1)["challenger"]["0.1-0.2"]["lpips"]
    assert (figure.value, figure.low, figure.high, figure.n) == (0.5, None, None, 1)


def test_the_worst_row_counts_for_changed_pixels(rows: pd.DataFrame) -> None:
    tables = tabulate(rows, "bucket", 50, seed=1)
    assert tables["challenger"]["all"]["known_pixels_changed"].value == 7
    assert tables["challenger"]["0.1-0.2"]["known_pixels_changed"].value == 0


def test_ratios_are_paired_by_mask(rows: pd.DataFrame) -> None:
    ratios = compare(rows, "challenger", 200, seed=1)["lpips_vs_telea"]
    assert ratios["all"].value == pytest.approx(0.9 / 1.6)
    # ann: 0.6 over 1.2; bob: 0.3 over 0.4. The ends are the draws of one identity twice.
    assert (ratios["all"].low, ratios["all"].high) == pytest.approx((0.5, 0.75))
    assert ratios["0.0-0.1"].value == pytest.approx(0.4 / 0.6)


def test_order_of_rows_does_not_matter(rows: pd.DataFrame) -> None:
    shuffled = rows.sample(frac=1.0, random_state=3)
    assert compare(rows, "challenger", 100, seed=1) == compare(shuffled, "challenger", 100, seed=1)


def test_methods_with_other_masks_are_refused(rows: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="the same masks for every method"):
        compare(rows.iloc[:-1], "challenger", 50, seed=1)


def test_a_missing_number_stays_missing(rows: pd.DataFrame) -> None:
    rows.loc[0, "lpips"] = np.nan
    figure = tabulate(rows, "bucket", 50, seed=1)["challenger"]["all"]["lpips"]
    assert (figure.value, figure.low, figure.high) == (None, None, None)


def test_summary_is_flat(rows: pd.DataFrame) -> None:
    summary = summarise(tabulate(rows, "bucket", 50, seed=1), compare(rows, "challenger", 50, seed=1))
    assert summary["lpips"] == pytest.approx(0.3)
    assert summary["lpips_vs_telea"] == pytest.approx(0.9 / 1.6)
    assert "psnr_vs_telea" not in summary


@pytest.mark.parametrize(
    ("value", "bucket"),
    [(0.0, "0.0-0.15"), (0.149, "0.0-0.15"), (0.15, "0.15-0.3"), (0.6, "0.6-1.0"), (1.0, "0.6-1.0")],
)
def test_buckets_are_closed_below(value: float, bucket: str) -> None:
    assert bucket_of(value, EDGES) == bucket
    assert bucket in bucket_names(EDGES)
