"""The machinery of the studies on the sampler's faces, with methods whose answers are known."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from models.evidence.evidence import Damaged
from pipeline.ablation.common import Portrait, embed_intact, means, portrait_of, portrait_rng, read_split
from pipeline.ablation.genuine_range import floor_of, genuine_floors, several
from pipeline.ablation.onset_study import onset_report, onset_rows
from pipeline.ablation.transition_study import measure_transition, transition_report
from pipeline.config.ablation import AblateParams
from pipeline.config.data import EVERYBODY, SamplerParams
from pipeline.config.load import load_params
from pipeline.evaluation.scoring import ROLES, Judges
from pipeline.face_sampler.generate import portraits
from pipeline.portraits.read import read_portraits
from tests.conftest import ROOT
from tests.portrait_site import five_points, lay_out_portraits

LEVELS = [0.1, 0.2, 0.3, 0.4, 0.5]
SMALL = {"ablate.bootstrap": 50, "ablate.batch_size": 8, "ablate.coverage": [0.2, 0.4], "ablate.onset.levels": LEVELS}


@pytest.fixture(scope="module")
def params() -> AblateParams:
    return load_params(ROOT / "params.yaml", SMALL).ablate


@pytest.fixture(scope="module")
def judges() -> Judges:
    return Judges.load(torch.device("cpu"), load_params(ROOT / "params.yaml").identity)


@pytest.fixture(scope="module")
def faces() -> list[Portrait]:
    found = portraits(SamplerParams(identities=3, views=2, seed=3, population=EVERYBODY))
    return [Portrait(p.name, p.identity, p.image, p.landmarks, five_points(p.landmarks)) for p in found]


def untouched(damaged: Damaged) -> torch.Tensor:
    """The picture that was handed in: a hole stays grey."""
    return damaged.image


@pytest.fixture(scope="module")
def onset(faces: list[Portrait], judges: Judges, params: AblateParams) -> pd.DataFrame:
    intact = embed_intact(faces, judges, 8)
    three = faces[::2]
    return onset_rows({"champion": untouched}, three, intact, judges, params)


def test_identity_falls_with_missing_features(
    onset: pd.DataFrame, faces: list[Portrait], judges: Judges, params: AblateParams
) -> None:
    blotches = onset[onset["kind"] == "blotch"]
    assert blotches.groupby("bucket")["missing_features"].mean().to_numpy() == pytest.approx(LEVELS, abs=0.01)
    intact = embed_intact(faces, judges, 8)
    names = [face.identity for face in faces]
    stacked = {role: torch.stack([intact[face.portrait_id][role] for face in faces]) for role in ROLES}
    floors = {role: floor_of(stacked[role], names, "six photos", params) for role in ROLES}
    report = onset_report(onset, floors, params)
    for role in ROLES:
        curve = [report.curves["champion"][str(level)][f"identity_similarity_{role}"].value for level in LEVELS]
        assert curve[0] is not None
        assert curve[-1] is not None
        assert curve[0] > curve[-1]
        assert "pairs of one person" in report.onsets["champion"][role].floor_from
    assert set(report.components["champion"]) == {"one eye", "both eyes", "brows", "nose", "mouth"}
    eyes = report.components["champion"]
    one, both = (eyes[name]["missing_features"].value for name in ("one eye", "both eyes"))
    assert one is not None
    assert both == pytest.approx(2 * one, rel=0.4)
    assert type(report).model_validate_json(report.model_dump_json()) == report


def test_colour_alone_costs_less_identity_than_a_hole(
    faces: list[Portrait], judges: Judges, params: AblateParams
) -> None:
    intact = embed_intact(faces, judges, 8)
    measured = measure_transition({"champion": untouched}, faces[::2], intact, judges, params)
    report = transition_report(measured.rows, params)
    hole, colour = (report.curves[name]["0.4"] for name in ("inpaint champion", "colorize champion"))
    assert _value(hole, "identity_similarity_independent") < _value(colour, "identity_similarity_independent")
    assert _value(hole, "colour_error") > _value(colour, "colour_error")
    # Left as it came, a colourless picture is the grey-world guess.
    assert report.colour_ratios["grey world"].value == pytest.approx(1)
    assert _value(hole, "retention") < 0.5  # a grey hole has no detail but its known rim
    assert colour["retention"].value is None
    assert set(measured.kept) == {("champion", "0.2"), ("champion", "0.4")}


def _value(metrics: Mapping[str, object], name: str) -> float:
    value = getattr(metrics[name], "value", None)
    assert value is not None
    return float(value)


def test_nobody_twice_means_the_recognition_threshold(tmp_path: Path, judges: Judges, params: AblateParams) -> None:
    paths = lay_out_portraits(tmp_path, identities=3)
    rows = read_portraits(paths)
    floor, origin = genuine_floors(paths, rows, judges, params)["independent"]
    assert "3 photos of 3 people: no person has two photos" in origin
    intact = embed_intact([portrait_of(paths, row) for _, row in rows.iterrows()], judges, 8)
    found = torch.stack([each["independent"] for each in intact.values()])
    pairs = (found @ found.T)[torch.triu(torch.ones(3, 3), diagonal=1) > 0]
    assert floor == pytest.approx(float(pairs.max()), abs=1e-5)  # of three pairs, one in a hundred is none


def test_people_with_several_photos() -> None:
    rows = pd.DataFrame({"portrait_id": list("edcba"), "identity": ["ann", "bob", "ann", "cid", "ann"]})
    assert list(several(rows, 2)["portrait_id"]) == ["a", "c"]
    assert list(several(rows, 9)["portrait_id"]) == ["a", "c", "e"]
    assert several(rows[rows["identity"] != "ann"], 2).empty


def test_means_leave_gaps_out_and_divide_sums() -> None:
    rows = pd.DataFrame(
        {
            "method": ["m"] * 3,
            "bucket": ["0.1"] * 3,
            "identity": ["a", "b", "c"],
            "lpips": [0.2, np.nan, 0.4],
            "fine_restored": [1.0, 2.0, 3.0],
            "fine_target": [2.0, 2.0, 8.0],
            "colour_error": [np.nan] * 3,
        }
    )
    found = means(rows, ("lpips", "retention", "colour_error"), 20, 1)["m"]["0.1"]
    assert found["lpips"].value == pytest.approx(0.3)
    assert found["lpips"].n == 2
    assert found["retention"].value == pytest.approx(6 / 12)
    assert (found["colour_error"].value, found["colour_error"].n) == (None, 0)


def test_a_split_is_drawn_by_seed(tmp_path: Path) -> None:
    paths = lay_out_portraits(tmp_path, identities=10)
    rows = read_portraits(paths)
    first, again, other = (read_split(paths, rows, "train", 3, seed) for seed in (1, 1, 2))
    assert [p.portrait_id for p in first] == [p.portrait_id for p in again] == sorted(p.portrait_id for p in first)
    assert [p.portrait_id for p in first] != [p.portrait_id for p in other]
    assert len(read_split(paths, rows, "train", 99, 1)) == 6
    dice = [portrait_rng(portrait, 5).random() for portrait in first]
    assert len(set(dice)) == 3


def test_nobody_is_drawn_twice_before_everybody_once(tmp_path: Path) -> None:
    paths = lay_out_portraits(tmp_path, identities=10)
    rows = read_portraits(paths).assign(split="test")
    rows["identity"] = ["ann"] * 7 + ["bob", "cid", "dan"]
    for seed in range(3):
        assert sorted(p.identity for p in read_split(paths, rows, "test", 4, seed)) == ["ann", "bob", "cid", "dan"]
        assert [p.identity for p in read_split(paths, rows, "test", 5, seed)].count("ann") == 2
