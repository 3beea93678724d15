"""Figures of real people, by hand."""

import numpy as np
import pandas as pd
import pytest
import torch

from scripts.benchmarks.measure_real_people import ALONE, TELEA, psnr_in_hole, report


def test_only_what_was_missing_counts() -> None:
    target, restored = torch.zeros(2, 3, 8, 8), torch.zeros(2, 3, 8, 8)
    missing = torch.zeros(2, 1, 8, 8)
    missing[0, :, :2] = 1
    restored[0, :, :2] = 0.2  # an error of a tenth of the range of 2: 20 dB
    restored[0, :, 4:] = 1.0
    found = psnr_in_hole(restored, target, missing)
    assert found[0] == pytest.approx(20.0, abs=1e-3)
    assert np.isnan(found[1])


def test_ratios_are_of_means_and_paired_by_person() -> None:
    cases = {"identity": ["a", "a", "b", "c"], "bucket": ["0.0-0.1", "0.4-0.5", "0.4-0.5", "0.0-0.1"]}
    telea = {"distance_independent": [0.2, 0.4, 0.4, 0.2], "distance_training": [0.4] * 4, "lpips": [0.1] * 4}
    half = {name: [value / 2 for value in values] for name, values in telea.items()}
    rows = {
        name: pd.DataFrame(cases | scores | {"psnr_hole": [20.0, 22.0, 24.0, np.nan]})
        for name, scores in ((TELEA, telea), (ALONE, half))
    }
    lines = report("omi", rows, ALONE)
    assert lines[1] == "**omi**: 3 people, 4 damaged portraits"
    assert "| coverage all, n = 4 |" in lines[3]
    assert lines[6].startswith(f"| {ALONE} | 0.1500; / Telea 0.500 [0.500, 0.500] | 0.2000; / Telea 0.500")
    assert lines[6].endswith("| 22.00 |")
    assert "| coverage 0.4-0.5, n = 2 |" in lines[8]
    assert lines[11].startswith(f"| {ALONE} | 0.2000; / Telea 0.500")
