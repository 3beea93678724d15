"""Whose portraits are shown, and what is planted into them."""

import numpy as np
import pandas as pd
import pytest

from monitoring.user_study.attention_check import plant
from monitoring.user_study.design import choose
from tests.faces import mean_landmarks


def test_buckets_take_turns_and_nobody_comes_twice() -> None:
    cases = pd.DataFrame({"identity": list("aabbccddee"), "bucket": ["x", "y"] * 5})
    chosen = choose(cases, 4, seed=1)
    rows = cases.iloc[chosen]
    assert rows["identity"].nunique() == 4
    assert rows["bucket"].tolist() == ["x", "y", "x", "y"]
    assert choose(cases, 99, seed=1)[:4] == chosen
    assert len(choose(cases, 99, seed=1)) == 5
    assert any(choose(cases, 4, seed=seed) != chosen for seed in range(2, 6))


def test_a_bucket_without_anybody_new_is_passed_over() -> None:
    cases = pd.DataFrame({"identity": ["a", "a", "b", "c"], "bucket": ["x", "y", "x", "x"]})
    assert sorted(cases.iloc[choose(cases, 3, seed=0)]["identity"]) == ["a", "b", "c"]


def test_the_third_eye_is_where_it_says_and_nowhere_else() -> None:
    rng, side = np.random.default_rng(2), 128
    image, landmarks = rng.integers(0, 255, (side, side, 3), np.uint8), mean_landmarks(side)
    planted, place = plant(image, landmarks)
    y, x = np.mgrid[:side, :side]
    away = np.hypot((x + 0.5) / side - place.x, (y + 0.5) / side - place.y)
    changed = (planted != image).any(axis=2)
    assert changed[away < 0.8 * place.radius].mean() > 0.95
    assert not changed[away > place.radius].any()
    centre = np.array([place.x, place.y]) * side - 0.5
    assert np.hypot(*(centre - landmarks[36:42].mean(axis=0))) > 2 * place.radius * side
    eye = np.rint(landmarks[36:42].mean(axis=0)).astype(int)
    there = np.rint(centre).astype(int)
    assert planted[there[1], there[0]] == pytest.approx(image[eye[1], eye[0]], abs=255)
