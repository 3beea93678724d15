"""The table by yaw, by hand."""

import pandas as pd

from scripts.benchmarks.measure_restorer import by_yaw


def test_ratios_are_of_means_within_each_range_of_yaw() -> None:
    portraits = pd.DataFrame({"portrait_id": ["a", "b", "c"], "yaw": [-7.9, 3.0, 8.0]})
    ours = {"method": "challenger", "lpips": [0.1, 0.3, 0.1], "identity_distance_independent": [0.2, 0.2, 0.3]}
    telea = {"method": "telea", "lpips": [0.4, 0.4, 0.2], "identity_distance_independent": [0.2, 0.6, 0.3]}
    people = {"portrait_id": ["a", "b", "c"], "coverage": [0.1, 0.3, 0.5]}
    rows = pd.concat([pd.DataFrame(people | method) for method in (ours, telea)])
    assert by_yaw(rows, portraits)[3:5] == ["| 0-8 | 2 | 0.20 | 0.50 | 0.50 |", "| 8-16 | 1 | 0.50 | 0.50 | 1.00 |"]
