"""Which portraits must go; with DVC, the real stage and S3: tests/flows/test_intake.py."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from pipeline.config.data import KeepParams
from pipeline.config.load import Params, load_params
from pipeline.consent.records import RECORD, record_of, store_of
from pipeline.consent.withdrawn import delete_withdrawn
from pipeline.project.paths import Paths
from tests.conftest import ROOT

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ANNA, BERTA = "a" * 32, "b" * 32


@pytest.fixture
def params() -> Params:
    return load_params(ROOT / "params.yaml")


def consent(paths: Paths, person: str, record: str, days: int) -> None:
    made = record_of(person, record, "consent", {}, KeepParams(days=days, location=""), NOW)
    store_of(paths, KeepParams(days=days, location="")).put(f"{made.place}/{RECORD}", made.model_dump_json().encode())


def cycle(paths: Paths, **columns: list[str]) -> Paths:
    """A checkout with a portrait for each row."""
    place = Paths(paths.cycles / "20261123")
    place.portrait_images.mkdir(parents=True)
    pd.DataFrame(columns).to_parquet(place.portrait_rows)
    for name in columns["portrait_id"]:
        (place.portrait_images / f"{name}.png").write_bytes(name.encode())
    return place


def left(place: Paths) -> list[str]:
    return sorted(file.stem for file in place.portrait_images.iterdir())


def test_what_no_record_speaks_for_goes_and_nothing_else(tmp_path: Path, params: Params) -> None:
    paths = Paths(tmp_path)
    consent(paths, ANNA, "r1", days=30)
    consent(paths, BERTA, "r2", days=10)
    place = cycle(
        paths,
        portrait_id=["sampled", "annas", "annas-other", "bertas", "another-s"],
        identity=["p7", ANNA, ANNA, BERTA, BERTA],
        consent=["", "r1", "r9", "r2", "r1"],  # r9 is gone, and r1 is not of the last one
    )
    assert delete_withdrawn(paths, params, NOW) == 2
    assert left(place) == ["annas", "bertas", "sampled"]
    assert delete_withdrawn(paths, params, NOW + timedelta(days=10)) == 1
    assert left(place) == ["annas", "sampled"]


def test_a_checkout_of_a_revision_without_consents_is_left_alone(tmp_path: Path, params: Params) -> None:
    paths = Paths(tmp_path)
    place = cycle(paths, portrait_id=["one"], identity=["p1"])
    assert delete_withdrawn(paths, params, NOW) == 0
    assert left(place) == ["one"]


def test_without_cycles_there_is_nothing_to_do(tmp_path: Path, params: Params) -> None:
    assert delete_withdrawn(Paths(tmp_path), params, NOW) == 0
