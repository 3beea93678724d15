"""No portrait is completed by a model that has seen its person."""

from pathlib import Path

import pytest
import torch

from models.errors import DataError
from models.face_model.shape_and_appearance import shipped_face_model
from pipeline.portraits.read import read_portraits
from pipeline.training.face_model_folds import face_models, fold
from tests.portrait_site import SIDE, lay_out_portraits


def test_without_folds_it_is_the_shipped_one(tmp_path: Path) -> None:
    paths = lay_out_portraits(tmp_path)
    assert face_models(paths, read_portraits(paths), 0, 0).of("anybody") is shipped_face_model(SIDE)


def test_each_fold_has_a_model_of_the_others(tmp_path: Path) -> None:
    paths = lay_out_portraits(tmp_path, identities=16)
    rows = read_portraits(paths)
    models = face_models(paths, rows, 2, 0)
    means = [model.appearance.mean for model in models.models]
    assert not torch.equal(*means)
    for identity in rows["identity"]:
        assert models.of(identity) is models.models[fold(identity, 2)]


def test_people_that_fill_no_fold_are_refused(tmp_path: Path) -> None:
    paths = lay_out_portraits(tmp_path, identities=1)
    with pytest.raises(DataError, match="people in each of 4 folds"):
        face_models(paths, read_portraits(paths), 4, 0)
