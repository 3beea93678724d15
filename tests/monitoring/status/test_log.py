"""CPU seconds and money by hand."""

import pandas as pd
import pytest

from monitoring.status.log import compute_costs
from restoration.modes import UNFILLED, Mode


def rows(*values: tuple[str, float, float]) -> pd.DataFrame:
    return pd.DataFrame(values, columns=["mode", "cpu_seconds", "verification_cpu_seconds"])


def test_by_hand() -> None:
    found = compute_costs(
        rows(("inpaint", 1.0, 0.2), ("partial", 0.8, 0.2), ("refuse", 0.4, 0.0)), price_per_cpu_hour=0.36
    )
    assert (found.requests, found.restored, found.verified) == (3, 2, 2)
    assert found.cpu_seconds == pytest.approx(2.2)
    assert found.restoration_seconds == pytest.approx((2.2 - 0.4) / 2)  # what the refused one took is in it
    assert found.verification_seconds == pytest.approx(0.2)
    assert found.money == pytest.approx(2.2 * 0.0001)
    assert found.per_1000_restorations == pytest.approx(0.09)
    assert found.per_1000_verifications == pytest.approx(0.02)


@pytest.mark.parametrize("mode", UNFILLED)
def test_a_photo_in_which_nothing_was_filled_is_no_restoration(mode: Mode) -> None:
    found = compute_costs(rows(("inpaint", 1.0, 0.2), (mode, 0.3, 0.0)), price_per_cpu_hour=1.0)
    assert (found.requests, found.restored) == (2, 1)


def test_nothing_restored_has_no_price() -> None:
    found = compute_costs(rows(("refuse", 0.5, 0.0)), price_per_cpu_hour=3600.0)
    assert found.money == pytest.approx(0.5)
    assert (found.restoration_seconds, found.per_1000_restorations, found.per_1000_verifications) == (None, None, None)


def test_an_empty_window() -> None:
    found = compute_costs(rows(), price_per_cpu_hour=0.04)
    assert (found.requests, found.cpu_seconds, found.money) == (0, 0.0, 0.0)
