"""What the damage foretells is subtracted, and the effect stays what it was."""

import numpy as np
import pandas as pd
import pytest

from monitoring.ab.adjustment import fit_adjustment
from monitoring.ab.outcomes import identity_similarity
from tests.monitoring.ab.rows import log_rows


def foretold(n: int, seed: int, noise: float) -> pd.DataFrame:
    """Rows whose similarity falls with what is missing."""
    rows, rng = log_rows(n, seed), np.random.default_rng([seed, 9])
    return rows.assign(similarity_independent=0.95 - 0.4 * rows["missing_features"] + rng.normal(0, noise, n))


def test_it_finds_what_the_damage_foretells() -> None:
    before, during = foretold(300, 1, 0.02), foretold(300, 2, 0.02)
    found = fit_adjustment(before, identity_similarity(before), min_rows=24)
    assert found is not None
    assert found.rows == 300
    left = (identity_similarity(during) - found.predict(during)).std()
    assert left == pytest.approx(0.02, rel=0.15)  # the noise that nothing foretells
    spread = identity_similarity(before).var()
    assert found.explained == pytest.approx(1 - 0.02**2 / spread, abs=0.03)


def test_too_few_rows_give_no_adjustment() -> None:
    rows = log_rows(40, 1)
    rows.loc[rows.index[:20], "similarity_independent"] = np.nan
    assert fit_adjustment(rows, identity_similarity(rows), min_rows=21) is None
    assert fit_adjustment(rows, identity_similarity(rows), min_rows=20) is not None


def test_a_constant_outcome_explains_nothing() -> None:
    rows = log_rows(40, 1, similarity_independent=0.9)
    found = fit_adjustment(rows, identity_similarity(rows), min_rows=24)
    assert found is not None
    assert found.explained == 0.0
    assert found.predict(rows) == pytest.approx(np.full(40, 0.9))


def test_requests_without_a_face_have_a_prediction_too() -> None:
    rows = log_rows(60, 3)
    found = fit_adjustment(rows, identity_similarity(rows), min_rows=24)
    assert found is not None
    assert np.isfinite(found.predict(rows.assign(coverage=np.nan, missing_features=np.nan, uncertainty=np.nan))).all()
