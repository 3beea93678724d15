"""What people let us keep reaches the data of a cycle in its own checkout, through DVC and the real stage."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.steps.checkouts import choose_checkout
from flows.steps.stages import run_stage
from pipeline.config.data import KeepParams
from pipeline.config.load import load_params, write_params
from pipeline.consent.records import RECORD, record_of
from pipeline.consent.store import Store, open_store
from pipeline.consent.withdrawn import delete_withdrawn
from pipeline.image_io.write import png_bytes
from pipeline.portraits.read import read_portraits
from pipeline.project.paths import Paths
from pipeline.workspaces.cache import collect_garbage
from pipeline.workspaces.cycle_checkouts import resolve_revision
from tests.conftest import ROOT
from tests.flows.prefect_site import commit, project
from tests.s3 import BUCKET, client, server  # noqa: F401 - fixtures

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::UserWarning"),
]

STAGE = """\
stages:
  ingest:
    cmd: python -m pipeline ingest
    params: [data, ingest]
    outs: [data/portraits, data/reports/ingest.json]
"""
"""As in dvc.yaml, without the files of code that a cycle at another revision would bring."""


@pytest.mark.usefixtures("client")
def test_a_cycle_takes_in_what_people_let_us_keep_from_a_folder_and_from_s3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # of the stage's own process
    settings: dict[str, Any] = {"data.sampler.identities": 2, "data.sampler.views": 1}
    settings |= {"data.intake": "kept", "keep.location": "kept"}
    paths = project(tmp_path / "project", **settings)
    (paths.root / "dvc.yaml").write_text(STAGE, encoding="utf-8")
    commit(paths.root)
    keep(open_store("kept", paths.root, "data.intake"), "r1")
    place = checked_out(paths)
    assert came_in(place) == [("production", "a" * 32, "train", "r1")]  # a relative folder is the project's
    bucket = open_store(f"s3://{BUCKET}/likeness", paths.root, "data.intake")
    keep(bucket, "r2")
    write_params(paths.params, paths.params, {"data.intake": f"s3://{BUCKET}/likeness"})
    place = checked_out(paths)
    assert came_in(place) == [("production", "a" * 32, "train", "r2")]
    withdrawals(paths)
    bucket.delete("a" * 32)
    assert came_in(place) == []  # though nothing has changed that DVC could see


def withdrawals(paths: Paths) -> None:
    """Both records hold; then the first is forgotten, then the second expires: two checkouts and one cache."""
    now, cached = datetime.now(UTC), paths.state / "dvc-cache" / "files"

    def delete(now: datetime) -> int:
        return delete_withdrawn(paths, load_params(paths.params), now)

    assert delete(now) == 0
    first, second = portraits(paths)
    content = first.read_bytes()
    assert second.read_bytes() == content  # the same photo, kept twice: one object of the cache
    assert content in [file.read_bytes() for file in cached.rglob("*") if file.is_file()]
    open_store("kept", paths.root, "keep.location").delete("a" * 32)
    assert [delete(now), len(portraits(paths)), delete(now)] == [1, 1, 0]
    assert [delete(now + timedelta(days=31)), portraits(paths)] == [1, []]
    assert content not in [file.read_bytes() for file in cached.rglob("*") if file.is_file()]
    assert len(list(paths.cycles.glob("*/data/portraits/images/*.png"))) == 4  # of the sampler, untouched
    collect_garbage(paths)  # DVC does not mind


def portraits(paths: Paths) -> list[Path]:
    """Those of kept pictures, in the checkouts of all cycles."""
    found = []
    for place in map(Paths, sorted(paths.cycles.glob("[!.]*/"))):
        rows = read_portraits(place)
        ours = rows[rows["source"] == "production"]
        found += [place.portrait_images / f"{name}.png" for name in ours["portrait_id"]]
    return [file for file in found if file.is_file()]


def keep(store: Store, name: str) -> None:
    """A reference photo of somebody who let us keep it."""
    from skimage import data

    photo, subject = png_bytes(data.astronaut()), "a" * 32
    record = record_of(
        subject, name, "consent", {"reference-1.png": photo}, KeepParams(days=30, location=""), datetime.now(UTC)
    )
    store.put(f"{record.place}/{RECORD}", record.model_dump_json().encode())
    store.put(f"{record.place}/reference-1.png", photo)


def checked_out(paths: Paths) -> Path:
    """A cycle's own checkout, as a deployed one begins."""
    return choose_checkout.fn(paths.root, resolve_revision(paths.root, ""))


def came_in(place: Path) -> list[tuple[str, str, str, str]]:
    """Source, identity, split and consent record of the portraits that production added to a cycle's data."""
    from prefect.logging import disable_run_logger

    with disable_run_logger():
        run_stage.fn("ingest", place)
    rows = read_portraits(Paths(place))
    assert len(rows[rows["source"] == "sampler"]) == 2
    ours = rows[rows["source"] == "production"]
    return [(str(row.source), str(row.identity), str(row.split), str(row.consent)) for row in ours.itertuples()]
