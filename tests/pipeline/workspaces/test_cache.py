"""The shared cache, with the real DVC: what a kept checkout uses stays, what was forgotten goes."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from models.errors import LikenessError
from pipeline.project.paths import Paths
from pipeline.workspaces.cache import collect_garbage
from pipeline.workspaces.cycle_checkouts import FILES, create_checkout
from pipeline.workspaces.dvc import environment, reproduce

DVC = """\
stages:
  ingest:
    cmd: cp faces.txt portrait.txt && mkdir -p folder && cp faces.txt folder/one.txt
    deps: [faces.txt]
    outs: [portrait.txt, folder]
"""


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    source = tmp_path / "project"
    (source / "state").mkdir(parents=True)
    (source / "params.yaml").write_text("{}\n", encoding="utf-8")
    (source / "dvc.yaml").write_text(DVC, encoding="utf-8")
    return Paths(source)


def cycle(paths: Paths, name: str, faces: str) -> Path:
    """A cycle's checkout after its only stage."""
    place = create_checkout(paths.root, FILES, paths, name)
    (place / "faces.txt").write_text(faces, encoding="utf-8")
    reproduce("ingest", place)
    return place


def cached(paths: Paths) -> set[str]:
    """The files of the cache that hold somebody's face."""
    found = (file for file in (paths.state / "dvc-cache" / "files").rglob("*") if file.is_file())
    return {text for file in found if (text := file.read_text(encoding="utf-8")).isalpha()}


@pytest.mark.slow
def test_a_copy_of_the_state_empties_its_own_cache_alone(paths: Paths) -> None:
    """Also where checkouts name the original's, as those of earlier versions do."""
    old, kept = (cycle(paths, f"2026110{n}", face) for n, face in enumerate(["forgotten", "anna"]))
    for place in (old, kept):
        settings = f"[core]\n    no_scm = true\n[cache]\n    dir = {paths.state}/dvc-cache\n"
        (place / ".dvc" / "config.local").write_text(settings, encoding="utf-8")
    copy = Paths(paths.root.with_name("copy"))
    shutil.copytree(paths.root, copy.root, symlinks=True)
    shutil.rmtree(copy.cycles / old.name)
    assert collect_garbage(copy) >= len("forgotten")
    assert (cached(copy), cached(paths)) == ({"anna"}, {"forgotten", "anna"})


@pytest.mark.slow
def test_what_no_checkout_uses_is_gone_and_the_rest_can_still_be_restored(paths: Paths) -> None:
    old, first, second = (cycle(paths, f"2026110{n}", face) for n, face in enumerate(["forgotten", "anna", "berta"]))
    assert cached(paths) == {"forgotten", "anna", "berta"}
    shutil.rmtree(old)
    assert collect_garbage(paths) >= len("forgotten")
    assert cached(paths) == {"anna", "berta"}
    for place, face in ((first, "anna"), (second, "berta")):
        shutil.rmtree(place / "folder")
        restored = [sys.executable, "-m", "dvc", "checkout", "--quiet"]
        subprocess.run(restored, cwd=place, env=environment(), check=True)
        assert (place / "folder" / "one.txt").read_text(encoding="utf-8") == face
    assert collect_garbage(paths) == 0
    again = create_checkout(paths.root, FILES, paths, "20261103")
    (again / "faces.txt").write_text("anna", encoding="utf-8")
    assert not reproduce("ingest", again).ran  # what one cycle has computed the next restores, as before


def test_where_no_cycle_ran_nothing_is_deleted(paths: Paths) -> None:
    kept = paths.state / "dvc-cache" / "kept"
    kept.parent.mkdir()
    kept.touch()
    assert collect_garbage(paths) == 0
    assert kept.exists()


def test_dvc_has_the_last_word_where_it_fails(paths: Paths) -> None:
    place = create_checkout(paths.root, FILES, paths, "20261100")
    (paths.state / "dvc-cache").mkdir()
    (place / "dvc.lock").write_text("stages: [", encoding="utf-8")
    with pytest.raises(LikenessError, match="expected `dvc gc`"):
        collect_garbage(paths)
