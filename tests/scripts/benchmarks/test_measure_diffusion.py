"""Figures of uncertainty, by hand."""

import numpy as np
import pytest

from models.diffusion.settings import Sampling
from models.errors import DataError
from scripts.benchmarks.measure_diffusion import Disagreement, coverage, sampling_of


def test_a_way_of_sampling_is_read() -> None:
    assert sampling_of("4,3,8") == Sampling(4, 3, 8)
    with pytest.raises(DataError, match="1 to 3 sampling steps"):
        sampling_of("4,4,8")


def test_coverage_counts_values_within_so_many_deviations() -> None:
    deviation = np.full((4, 3), 0.1, np.float32)
    error = np.array([[0.05] * 3, [0.09] * 3, [-0.15] * 3, [0.5] * 3], np.float32)  # 0.5, 0.9, 1.5 and 5 deviations
    twice = Disagreement(2 * deviation, 2 * error)
    held, strength, correlation = coverage([Disagreement(deviation, error), twice])
    assert held.endswith("68 %: 0.50, 95 %: 0.75")
    assert "of 24 values" in held
    assert strength.startswith("- deviation / error, root mean square: 0.158 / 0.421;")
    assert correlation.endswith("1.00 by picture")


def test_a_normal_error_of_that_deviation_is_covered_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    deviation = rng.uniform(0.05, 0.3, (4000, 3)).astype(np.float32)
    pictures = [Disagreement(part, rng.normal(0, part).astype(np.float32)) for part in np.array_split(deviation, 4)]
    held = coverage(pictures)[0]
    assert [float(part.split(": ")[1]) for part in held.split("found: ")[1].split(", ")] == pytest.approx(
        [0.68, 0.95], abs=0.011
    )
