"""Crossings, colour ratios and ID-FID by coverage, from rows that were made up."""

import pandas as pd
import pytest
import torch

from pipeline.ablation.results import Crossing
from pipeline.ablation.transition_study import METRICS, colour_ratios, crossing_of, id_fid_report, transition_report
from pipeline.config.load import load_params
from pipeline.evaluation.scoring import ROLES
from tests.conftest import ROOT

PARAMS = load_params(
    ROOT / "params.yaml", {"ablate.bootstrap": 50, "ablate.id_fid.components": 2, "ablate.id_fid.repeats": 2}
).ablate


def line(method: str, kind: str, level: str, **values: float) -> dict[str, object]:
    names = dict.fromkeys(METRICS, 0.5) | {"fine_restored": 1.0, "fine_target": 2.0} | values
    return names | {"mask_id": f"{kind}-{level}", "identity": "ann", "bucket": level, "method": method, "kind": kind}


def rows() -> pd.DataFrame:
    lines = []
    for level, hole_error, alike in (("0.1", 4.0, 0.9), ("0.3", 12.0, 0.6)):
        lines += [
            line("champion", "inpaint", level, colour_error=hole_error, identity_similarity_independent=alike),
            line("champion", "colorize", level, colour_error=3.0),
            line("grey world", "colorize", level, colour_error=8.0, identity_similarity_independent=0.8),
        ]
    return pd.DataFrame(lines)


def test_crossings_by_hand() -> None:
    assert crossing_of([0.1, 0.3], [1.0, 3.0], [2.0, 2.0]) == pytest.approx(0.2)
    assert crossing_of([0.1, 0.3], [3.0, 3.0], [2.0, 2.0]) == 0.1
    assert crossing_of([0.1, 0.3], [1.0, 2.0], [2.0, 2.0]) is None


def test_the_report_says_where_curves_cross() -> None:
    report = transition_report(rows(), PARAMS)
    found = {crossing.what: crossing.at for crossing in report.crossings}
    assert found["colour error of colorize rises above that of inpaint"] is None
    assert found["colour error of inpaint rises above that of a grey world on known luma"] == pytest.approx(0.2)
    # 0.9 and 0.6 against 0.8: a third of the way
    assert found["identity: a grey world on known luma is closer to the person than inpaint"] == pytest.approx(
        0.1 + 0.2 / 3
    )
    assert report.curves["inpaint champion"]["0.3"]["retention"].value == pytest.approx(0.5)
    assert all(isinstance(crossing, Crossing) for crossing in report.crossings)


def test_colour_ratios_are_of_the_same_damage() -> None:
    coloured = rows()[rows()["kind"] == "colorize"]
    assert colour_ratios(coloured, PARAMS)["grey world"].value == pytest.approx(3 / 8)


def test_id_fid_by_coverage() -> None:
    dice = torch.Generator().manual_seed(1)
    intact = {f"p{i}": {role: torch.randn(4, generator=dice) for role in ROLES} for i in range(20)}
    kept = {
        ("champion", "0.1"): {name: each["independent"] for name, each in intact.items()},
        ("telea", "0.1"): {name: each["independent"] + torch.tensor([1.0, 0, 0, 0]) for name, each in intact.items()},
    }
    report = id_fid_report(kept, intact, PARAMS)
    assert report.whole["champion"]["0.1"].at_n == pytest.approx(0, abs=1e-5)
    assert report.whole["telea"]["0.1"].at_n == pytest.approx(1, abs=1e-4)
    assert report.whole["telea"]["0.1"].dimensions == 4
    leading = report.leading["telea"]["0.1"]
    assert (leading.dimensions, leading.n, leading.enough) == (2, 20, True)
    assert leading.at_n <= 1 + 1e-4
    assert 0 < report.variance_kept < 1
