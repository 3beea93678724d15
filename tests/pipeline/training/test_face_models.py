"""The face model of a cycle: fitted further to new people, and no portrait completed by a model that saw its person."""

from pathlib import Path

import pytest
import torch

from models.assets import OPEN, RESEARCH
from models.errors import DataError
from models.face_model.stored import FACE_MODEL, StoredFaceModel
from models.restorer_file import read_face_model
from pipeline.config.training import FaceModelParams
from pipeline.portraits.read import read_portraits
from pipeline.registry.weights import shipped_weights
from pipeline.training.face_models import FaceModels, fit_face_models, fold
from tests.portrait_site import lay_out_portraits


def settings(folds: int = 2, components: int = 30) -> FaceModelParams:
    return FaceModelParams(components=components, prior_weight=1.0, folds=folds)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> FaceModels:
    """Fitted further than the shipped one, to the twelve people of a site."""
    paths = lay_out_portraits(tmp_path_factory.mktemp("site"), identities=16)
    return fit_face_models(paths, read_portraits(paths), StoredFaceModel.load(FACE_MODEL), settings(), 0, RESEARCH)


def test_people_are_counted_and_put_on_record(fitted: FaceModels, tmp_path: Path) -> None:
    paths = lay_out_portraits(tmp_path, identities=16)
    rows, shipped = read_portraits(paths), StoredFaceModel.load(FACE_MODEL)
    people = rows["identity"].nunique()
    assert float(fitted.stored.tensors["faces"]) == float(shipped.tensors["faces"]) + people
    assert len(fitted.stored.tensors["seen"]) == people
    assert not torch.equal(fitted.stored.tensors["mean"], shipped.tensors["mean"])


def test_a_model_stays_in_its_edition(tmp_path: Path) -> None:
    paths = lay_out_portraits(tmp_path, identities=16)
    shipped = read_face_model(shipped_weights(OPEN))
    further = fit_face_models(paths, read_portraits(paths), shipped, settings(folds=0, components=10), 0, RESEARCH)
    begun = fit_face_models(paths, read_portraits(paths), None, settings(folds=0, components=10), 0, OPEN)
    assert [one.stored.edition for one in (further, begun)] == [OPEN, OPEN]
    assert [one.whole.edition for one in (further, begun)] == [OPEN, OPEN]


def test_nobody_new_changes_nothing(fitted: FaceModels, tmp_path: Path) -> None:
    paths = lay_out_portraits(tmp_path, identities=16)
    again = fit_face_models(paths, read_portraits(paths), fitted.stored, settings(), 0, RESEARCH)
    assert again.stored is fitted.stored
    assert again.whole is fitted.whole
    assert again.of("anybody") is fitted.whole


def test_each_fold_has_a_model_of_the_others(fitted: FaceModels, tmp_path: Path) -> None:
    rows = read_portraits(lay_out_portraits(tmp_path, identities=16))
    assert len(fitted.folds) == 2
    means = [model.appearance.mean for model in (*fitted.folds, fitted.whole)]
    assert not any(torch.equal(one, other) for one, other in ((means[0], means[1]), (means[0], means[2])))
    for identity in rows["identity"]:
        assert fitted.of(identity) is fitted.folds[fold(identity, 2)]


def test_without_a_model_before_it_begins_with_nobody(tmp_path: Path) -> None:
    paths = lay_out_portraits(tmp_path, identities=16)
    rows = read_portraits(paths)
    found = fit_face_models(paths, rows, None, settings(folds=0), 0, RESEARCH)
    assert float(found.stored.tensors["faces"]) == rows["identity"].nunique()
    assert found.of("anybody") is found.whole


def test_people_of_one_fold_are_refused_where_there_is_no_model_before(tmp_path: Path) -> None:
    paths = lay_out_portraits(tmp_path, identities=1)
    with pytest.raises(DataError, match="people in several folds"):
        fit_face_models(paths, read_portraits(paths), None, settings(folds=4), 0, RESEARCH)


def test_one_fold_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        settings(folds=1)
