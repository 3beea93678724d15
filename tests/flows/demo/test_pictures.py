"""The people on the demo's page: the same for both versions, and none whom the traffic has."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from flows.demo.pictures import draw_examples, restore_by_both
from pipeline.config.load import load_params
from pipeline.project.paths import Paths
from tests.conftest import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def test_both_versions_restore_the_same_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIKENESS_MLFLOW_URI", raising=False)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    paths, params = Paths(tmp_path), load_params(ROOT / "params.yaml")
    requests = draw_examples(params, paths, "none", 2)
    again = draw_examples(params, paths, "larger-masks", 2)
    assert [one.portrait_id for one in requests] == [one.portrait_id for one in again]  # only the damage differs
    assert all(b.hole.mean() > a.hole.mean() for a, b in zip(requests, again, strict=True))
    for request, person in zip(requests, restore_by_both(params, paths, requests, "shipped", "shipped"), strict=True):
        assert np.array_equal(person.original, request.original)
        assert np.array_equal(person.damaged, request.image)
        assert person.before.similarity == person.after.similarity
        assert person.before.image is not None
        assert person.after.image is not None
        assert np.array_equal(person.before.image, person.after.image)
        assert np.array_equal(person.before.image[~request.chroma], request.image[~request.chroma])
        if person.before.similarity is not None:
            assert 0.0 < person.before.similarity <= 1.0
