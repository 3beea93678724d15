"""What a variant leaves out, and how it is compared."""

import pandas as pd
import pytest

from pipeline.ablation.variants import COMPLETE, ratios_of, variant_figures, variant_params
from pipeline.config.load import load_params
from tests.conftest import ROOT

ALL = load_params(ROOT / "params.yaml", {"ablate.bootstrap": 50})
PARAMS = ALL.ablate


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("conditioning", "generator.conditioned", False),
        ("perceptual", "losses.lpips", 0.0),
        ("identity", "losses.identity", 0.0),
        ("reference", "evidence.reference", 0.0),
    ],
)
def test_a_variant_leaves_one_thing_out(name: str, path: str, value: object) -> None:
    complete, without = (variant_params(ALL.train, PARAMS, each, 3).model_dump() for each in (COMPLETE, name))
    section, key = path.split(".")
    assert without[section][key] == value
    assert complete[section][key] != value
    changed = {outer for outer in complete if complete[outer] != without[outer]}
    assert changed == {section}
    inner = {each for each in complete[section] if complete[section][each] != without[section][each]}
    assert inner == ({"reference", "self_reference"} if name == "reference" else {key})


def test_small_networks_start_from_nothing() -> None:
    small = variant_params(ALL.train, PARAMS, COMPLETE, 7)
    assert (small.warm_start, small.seed, small.epochs, small.steps_per_epoch) == ("none", 7, 1, PARAMS.variants.steps)
    assert (small.generator.width, small.generator.depth) == (PARAMS.variants.width, PARAMS.variants.depth)
    assert small.losses == ALL.train.losses


def rows(variant: str, lpips: dict[int, list[float]]) -> pd.DataFrame:
    lines = [
        {
            "variant": variant,
            "seed": seed,
            "mask_id": f"m{i}",
            "identity": f"p{i}",
            "bucket": "0.1-0.3",
            "lpips": value,
            "psnr": 20.0,
            "identity_similarity_training": 0.5,
            "identity_similarity_independent": 0.75,
        }
        for seed, values in lpips.items()
        for i, value in enumerate(values)
    ]
    return pd.DataFrame(lines)


def test_ratios_by_hand() -> None:
    complete = rows(COMPLETE, {1: [0.1, 0.2], 2: [0.2, 0.3]})
    without = rows("identity", {2: [0.2, 0.3], 1: [0.2, 0.4]})  # seeds in another order
    found = variant_figures(pd.concat([complete, without]), {COMPLETE: 1.0, "identity": 2.04}, PARAMS)
    assert found["identity"].ratios["lpips"].value == pytest.approx(1.1 / 0.8)
    assert found["identity"].seeds["lpips"] == pytest.approx([2.0, 1.0])
    assert found["identity"].seeds["identity_distance_independent"] == pytest.approx([1.0, 1.0])
    assert found["identity"].seconds == 2.0
    assert found[COMPLETE].ratios["lpips"].value == 1.0
    assert found[COMPLETE].figures["0.1-0.3"]["lpips"].value == pytest.approx(0.2)
    assert found[COMPLETE].figures["0.1-0.3"]["identity_distance_independent"].value == pytest.approx(0.25)


def test_intervals_are_over_people_not_over_seeds() -> None:
    complete = pd.concat([rows(COMPLETE, {1: [0.1, 0.2]})]).assign(identity_distance_independent=0.2)
    frame = complete.assign(identity_distance_training=0.2)
    one = ratios_of(frame.assign(identity="ann"), frame, PARAMS)
    assert one["lpips"].low is None  # one person says nothing about others
