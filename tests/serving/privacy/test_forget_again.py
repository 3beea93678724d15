"""A restored backup brings back nothing of people who were deleted, before it was made or since."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from models.errors import StorageError
from monitoring.backup.make import make_backup
from monitoring.backup.restore import restore_backup
from monitoring.log.production_log import open_log
from pipeline.config.load import load_params
from pipeline.project.paths import Paths
from serving.privacy.forget_again import Forgotten, forget_again
from serving.privacy.personal_data import KeptPictures, PictureStore
from serving.privacy.subjects import Pseudonyms
from tests.conftest import ROOT

PARAMS = load_params(ROOT / "params.yaml")
NOW = datetime.now(UTC)
PICTURES = KeptPictures(np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.uint8), None)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """A workspace that keeps a picture each of Anna, Ben and Cleo."""
    for name in ("LIKENESS_LOG_URL", "LIKENESS_LOG_KEY", "LIKENESS_MLFLOW_URI"):
        monkeypatch.delenv(name, raising=False)
    paths = Paths(tmp_path / "site")
    paths.root.mkdir()
    shutil.copy(ROOT / "params.yaml", paths.root)
    store = PictureStore(paths, PARAMS.keep)
    for name in ("Anna", "Ben", "Cleo"):
        store.keep(store.person(name, store.deletions()), "consent", PICTURES, f"of-{name}", NOW)
    return paths


def delete(paths: Paths, name: str) -> None:
    """What the service does when a person asks for it."""
    with open_log(paths) as entries:

        def log(person: str, requests: int) -> None:
            entries.record("deletion", person, {"requests": requests}, NOW)

        PictureStore(paths, PARAMS.keep).forget(name, log)


def kept(paths: Paths) -> set[str]:
    return {path.name.removeprefix("of-") for path in paths.kept.glob("*/*")}


def known(paths: Paths) -> set[str]:
    return {name for name in ("Anna", "Ben", "Cleo") if Pseudonyms(paths).known(name)}


def restored(tmp_path: Path) -> Paths:
    restore_backup(tmp_path / "backup", tmp_path / "new")
    return Paths(tmp_path / "new")


@pytest.mark.parametrize("sealed", [False, True])
def test_who_was_deleted_since_stays_deleted_where_the_state_of_now_is_named(
    site: Paths, tmp_path: Path, sealed: bool
) -> None:
    delete(site, "Anna")
    make_backup(site, PARAMS, tmp_path / "backup", NOW)
    delete(site, "Ben")
    if sealed:
        with open_log(site) as log:
            assert log.seal(rows=log.head().sequence, live=0)
    new = restored(tmp_path)
    assert kept(new) == {"Ben", "Cleo"}
    before = {path: path.stat().st_mtime_ns for path in site.root.rglob("*")}
    assert forget_again(new, PARAMS, site, NOW) == Forgotten(pictures=1, salts=1)
    assert (kept(new), known(new)) == ({"Cleo"}, {"Cleo"})
    assert {path: path.stat().st_mtime_ns for path in site.root.rglob("*")} == before
    assert Pseudonyms(new).deletions() == 2


def test_what_the_backup_s_own_log_knows_is_deleted_again(site: Paths, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    shutil.copytree(site.kept, pictures)
    delete(site, "Anna")
    shutil.copytree(pictures, site.kept, dirs_exist_ok=True)  # they were read before she was deleted
    make_backup(site, PARAMS, tmp_path / "backup", NOW)
    new = restored(tmp_path)
    assert kept(new) == {"Anna", "Ben", "Cleo"}
    assert forget_again(new, PARAMS, None, NOW) == Forgotten(pictures=1, salts=0)
    assert kept(new) == {"Ben", "Cleo"}


def test_expired_pictures_do_not_come_back(site: Paths, tmp_path: Path) -> None:
    make_backup(site, PARAMS, tmp_path / "backup", NOW)
    new = restored(tmp_path)
    forget_again(new, PARAMS, None, NOW + timedelta(days=PARAMS.keep.days + 1))
    assert kept(new) == set()


def test_a_log_alone_serves_and_another_installation_does_not(site: Paths, tmp_path: Path) -> None:
    make_backup(site, PARAMS, tmp_path / "backup", NOW)
    delete(site, "Ben")
    new = restored(tmp_path)
    other = Paths(tmp_path / "other")
    PictureStore(other, PARAMS.keep).person("Anna", 0)
    with pytest.raises(StorageError, match="another key of pseudonyms"):
        forget_again(new, PARAMS, other, NOW)
    with pytest.raises(StorageError, match=r"neither production\.sqlite nor subjects\.sqlite"):
        forget_again(new, PARAMS, Paths(tmp_path), NOW)
    assert known(new) == {"Anna", "Ben", "Cleo"}
    site.subjects.unlink()
    assert forget_again(new, PARAMS, site, NOW) == Forgotten(pictures=1, salts=0)
    assert kept(new) == {"Anna", "Cleo"}
