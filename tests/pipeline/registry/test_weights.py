"""Versions are found, their weights verified; the shipped model stands in for a champion."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import torch

from models.assets import OPEN, RESEARCH
from models.errors import DataError, PromotionError, ServiceUnavailable, WeightsError
from models.gan.generator import Generator
from models.gan.restorer import save_weights
from models.weight_files import read_architecture, stored_edition, weights_sha256
from pipeline.champion import champion
from pipeline.config.registry import ChampionParams
from pipeline.project.paths import Paths
from pipeline.registry.champion import ChampionReport, read_champion
from pipeline.registry.client import connect
from pipeline.registry.promotion import promote
from pipeline.registry.versions import champion_age, champion_version, find_version, list_models
from pipeline.registry.weights import resolve_weights, shipped_weights
from tests.pipeline.registry.site import NAME, params

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow"),
]


@pytest.fixture
def assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "assets"
    torch.manual_seed(9)
    save_weights(Generator(8, 2), folder / "restorer.safetensors", image_size=32)
    card = {"sha256": weights_sha256(folder / "restorer.safetensors")}
    (folder / "restorer.json").write_text(json.dumps(card))
    monkeypatch.setattr("models.assets.ASSETS", folder)
    return folder


def test_before_the_first_promotion_the_champion_is_the_shipped_model(local_mlflow: Paths, assets: Path) -> None:
    assert champion_version(local_mlflow, NAME) == "shipped"
    assert champion_age(local_mlflow, NAME, datetime.now(UTC)) is None
    assert list_models(local_mlflow, NAME) == []
    assert resolve_weights(local_mlflow, NAME, RESEARCH) == (assets / "restorer.safetensors", "shipped")
    assert not local_mlflow.mlflow_database.exists()  # MLflow was not even started


def test_shipped_weights_are_compared_with_their_card(assets: Path) -> None:
    weights = assets / "restorer.safetensors"
    weights.write_bytes(weights.read_bytes() + b"\0")
    with pytest.raises(WeightsError, match="take it from git"):
        shipped_weights(RESEARCH)
    weights.unlink()
    with pytest.raises(WeightsError, match="no such file; take assets/ from git"):
        shipped_weights(RESEARCH)


def test_each_edition_has_weights_of_its_own(local_mlflow: Paths) -> None:
    for edition, name in ((RESEARCH, "restorer"), (OPEN, "open_restorer")):
        weights, version = resolve_weights(local_mlflow, NAME, edition)
        assert (weights.name, version) == (f"{name}.safetensors", "shipped")
        assert stored_edition(read_architecture(weights)) == edition


def test_a_version_of_the_other_edition_is_refused(site: Paths) -> None:
    with pytest.raises(
        WeightsError, match=r"version 1 of \S+, of the edition research; set identity.edition to research"
    ):
        resolve_weights(site, NAME, OPEN, "1")


def test_weights_of_a_version_are_those_that_were_registered(site: Paths) -> None:
    promote(site, NAME, "2")
    file, version = resolve_weights(site, NAME, RESEARCH, "champion")
    tag = find_version(connect(site), NAME, "2").tags["weights_sha256"]
    assert (version, weights_sha256(file)) == ("2", tag)
    file.write_bytes(b"changed")  # a damaged cache is fetched again
    assert weights_sha256(resolve_weights(site, NAME, RESEARCH, "2")[0]) == tag
    assert resolve_weights(site, NAME, RESEARCH, "challenger")[1] == "3"


def test_changed_weights_are_not_handed_out(site: Paths) -> None:
    for stored in site.mlflow_artifacts.rglob("weights.safetensors"):
        stored.write_bytes(b"changed")
    with pytest.raises(WeightsError, match="do not use version 1 of portrait-restorer"):
        resolve_weights(site, NAME, RESEARCH, "1")
    with pytest.raises(PromotionError, match="'7', which does not exist"):
        resolve_weights(site, NAME, RESEARCH, "7")


def test_an_unreachable_registry_does_not_pass_for_the_shipped_model(
    local_mlflow: Paths, assets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_MLFLOW_URI", "http://127.0.0.1:9")
    with pytest.raises(ServiceUnavailable):
        resolve_weights(local_mlflow, NAME, RESEARCH, "champion")
    assert resolve_weights(local_mlflow, NAME, RESEARCH, "shipped")[1] == "shipped"


def test_versions_for_a_table(site: Paths) -> None:
    promote(site, NAME, "1")
    rows = list_models(site, NAME)
    assert [(row.version, row.gate, row.aliases) for row in rows] == [
        ("3", "failed", ("challenger",)),
        ("2", "passed", ()),
        ("1", "passed", ("champion",)),
    ]
    assert (rows[2].recognition_accuracy, rows[2].lpips_vs_telea) == (0.91, 0.5)
    assert rows[2].identity_distance_vs_telea is None
    assert rows[2].promoted is not None
    assert rows[1].promoted is None


def test_age_in_weeks_since_the_promotion(site: Paths) -> None:
    promote(site, NAME, "1")
    promoted = datetime.fromisoformat(find_version(connect(site), NAME, "1").tags["promoted_at"])
    assert champion_age(site, NAME, promoted + timedelta(weeks=3)) == 3.0


def test_the_champion_stage_copies_the_shipped_model(local_mlflow: Paths, assets: Path) -> None:
    registry, identity = params().registry, params().identity
    shipped = ChampionParams(version="shipped")
    report = champion(champion=shipped, registry=registry, identity=identity, paths=local_mlflow)
    assert report == ChampionReport(version="shipped", sha256=weights_sha256(assets / "restorer.safetensors"))
    assert weights_sha256(local_mlflow.champion_weights) == report.sha256
    assert read_champion(local_mlflow) == report


def test_the_champion_stage_copies_a_version_and_leaves_nothing_half_written(site: Paths) -> None:
    registry = params().registry
    report = champion(champion=ChampionParams(version="2"), registry=registry, identity=params().identity, paths=site)
    assert (report.version, weights_sha256(site.champion_weights)) == ("2", report.sha256)
    with pytest.raises(PromotionError):
        champion(champion=ChampionParams(version="9"), registry=registry, identity=params().identity, paths=site)
    assert read_champion(site) == report


def test_reading_a_champion_that_is_not_there(local_mlflow: Paths) -> None:
    with pytest.raises(DataError, match="run the stage champion first"):
        read_champion(local_mlflow)
