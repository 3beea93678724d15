"""A study made from a checkout: real portraits of the sampler, a real model, names that say nothing."""

import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from cli.models.user_study import study_group
from models.errors import DataError
from models.weight_files import weights_sha256
from monitoring.user_study.heat_map import REGIONS
from monitoring.user_study.make import Plan, make_study
from monitoring.user_study.schema import Study
from monitoring.user_study.store import StudyStore, open_study
from pipeline.config.load import load_params
from pipeline.config.user_study import StudyParams
from pipeline.masks import masks
from pipeline.project.files import write_text
from pipeline.project.paths import Paths
from pipeline.registry.champion import ChampionReport
from tests.conftest import ROOT
from tests.monitoring.conftest import small_model
from tests.monitoring.user_study.site import NOW
from tests.portrait_site import SIDE, lay_out_portraits

__all__ = ["small_model"]
METHODS = ("champion", "challenger", "telea")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory, small_model: Path) -> Paths:
    """A checkout with masks, a champion and a challenger; five people, all in the test split."""
    paths = lay_out_portraits(tmp_path_factory.mktemp("checkout"), identities=5)
    pd.read_parquet(paths.portrait_rows).assign(split="test").to_parquet(paths.portrait_rows)
    shutil.copy(ROOT / "params.yaml", paths.params)
    params = load_params(paths.params, {"ingest.image_size": SIDE})
    masks(masks=params.masks, ingest=params.ingest, paths=paths)
    weights = small_model / "restorer.safetensors"
    for target in (paths.champion_weights, paths.trained_weights):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(weights, target)
    report = ChampionReport(version="shipped", sha256=weights_sha256(weights))
    write_text(paths.champion_report, report.model_dump_json())
    return paths


def section(**changes: object) -> StudyParams:
    return load_params(ROOT / "params.yaml", {f"study.{key}": value for key, value in changes.items()}).study


@pytest.fixture(scope="module")
def made(checkout: Paths) -> Study:
    return make_study(Plan("first", METHODS, section(), "sface"), checkout, NOW)


def picture(store: StudyStore, name: str) -> np.ndarray:
    decoded = cv2.imdecode(np.frombuffer(store.picture(name) or b"", np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(decoded)


def test_the_study_is_read_back_and_names_weights(made: Study, checkout: Paths) -> None:
    store = open_study(checkout, made.study_id)
    assert store.study == made
    digest = weights_sha256(checkout.trained_weights)
    assert made.digests == {"champion": digest, "challenger": digest}
    assert len({person.identity for person in made.people}) == len(made.people) == 5


def test_files_are_opaque_and_all_different(made: Study, checkout: Paths) -> None:
    names = [name for person in made.people for name in person.pictures.values()]
    assert len(set(names)) == 5 * (len(METHODS) + 3)
    assert all(re.fullmatch(r"[0-9a-f]{16}\.png", name) for name in names)
    folder = checkout.studies / made.study_id / "pictures"
    assert {file.name for file in folder.iterdir()} == set(names)


def test_restorations_keep_what_was_known_and_differ_where_it_was_missing(made: Study, checkout: Paths) -> None:
    store = open_study(checkout, made.study_id)
    for person in made.people:
        intact = picture(store, person.pictures["intact"])
        chroma = cv2.imread(str(checkout.masks / f"{person.mask_id}.chroma.png"), cv2.IMREAD_GRAYSCALE)
        assert chroma is not None
        gone = chroma > 127
        for method in METHODS:
            restored = picture(store, person.pictures[method])
            assert np.array_equal(restored[~gone], intact[~gone])
        assert sum(person.missing.values()) == pytest.approx(gone.mean())
        assert set(person.missing) == set(REGIONS)
    changed = [
        (picture(store, person.pictures["telea"]) != picture(store, person.pictures["intact"])).any()
        for person in made.people
    ]
    assert all(changed)


def test_the_other_person_is_another_and_the_reference_the_original_where_there_is_one_photo(
    made: Study, checkout: Paths
) -> None:
    store = open_study(checkout, made.study_id)
    for number, person in enumerate(made.people):
        assert person.other != number
        assert not person.has_view
        reference, intact = (picture(store, person.pictures[name]) for name in ("reference", "intact"))
        assert np.array_equal(reference, intact)
        assert person.pictures["reference"] != person.pictures["intact"]


@pytest.mark.parametrize(
    ("methods", "words"),
    [
        (("champion",), "two or more different methods; got champion"),
        (("telea", "telea"), "two or more different methods"),
        (("champion", "diffusion"), "got diffusion; correct --methods"),
        (("champion", "intact"), "a second photo of every person"),
    ],
)
def test_methods_that_cannot_be_compared(methods: tuple[str, ...], words: str, checkout: Paths) -> None:
    before = sorted(checkout.studies.glob("*")) if checkout.studies.is_dir() else []
    with pytest.raises(DataError, match=words):
        make_study(Plan("wrong", methods, section(), "sface"), checkout, NOW)
    assert (sorted(checkout.studies.glob("*")) if checkout.studies.is_dir() else []) == before


def test_too_few_people(checkout: Paths) -> None:
    with pytest.raises(DataError, match="at least 4 people with masks in the test split; got 3"):
        make_study(Plan("few", ("telea", "navier-stokes"), section(people=3), "sface"), checkout, NOW)


def test_the_commands_make_and_report(checkout: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIKENESS_MLFLOW_URI", raising=False)
    root, run = str(checkout.root), CliRunner().invoke
    done = run(
        study_group, ["new", "--root", root, "--methods", "telea, navier-stokes", "--trials", "5", "--seed", "3"]
    )
    assert done.exit_code == 0, done.output
    found = re.match(r"study (\S+): 5 people, 9 questions per rater", done.output)
    assert found
    page = tmp_path / "report.html"
    told = run(study_group, ["report", found[1], "--root", root, "--html", str(page)])
    assert told.exit_code == 0, told.output
    assert "0 of 0 raters count, 12 wanted" in told.output
    assert "verdict: other methods" in told.output
    assert page.read_text().count("data:image/png") == 3
    as_json = run(study_group, ["report", found[1], "--root", root, "--json"])
    assert f'"study_id":"{found[1]}"' in as_json.output
