"""A cycle's own checkout: the revision's files, production's parameters and state, and nobody else's folder touched."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.errors import DataError
from pipeline.config.data import KeepParams
from pipeline.config.load import load_params, write_params
from pipeline.consent.records import store_of
from pipeline.image_io.outcome import Limits
from pipeline.project.paths import Paths
from pipeline.registry.lineage import _revision
from pipeline.sources.catalogue import open_source
from pipeline.workspaces.cycle_checkouts import (
    FILES,
    CycleRecord,
    adopt_cycle,
    create_checkout,
    cycle_in_use,
    cycle_records,
    ensure_production,
    record_cycle,
    resolve_revision,
    take_values,
)
from pipeline.workspaces.dvc import reproduce
from pipeline.workspaces.overlay import set_own_values
from tests.conftest import ROOT

PARAMS = (ROOT / "params.yaml").read_text(encoding="utf-8")
STAGES = """\
stages:
  one:
    cmd: python one.py
    deps: [one.py]
    params: [train.epochs]
    outs: [data/one.txt]
"""
ONE = """\
from pathlib import Path
Path("data").mkdir(exist_ok=True)
Path("data/one.txt").write_text("made")
with Path("state/ran").open("a") as stream:
    stream.write("x")
"""


@pytest.fixture
def site(tmp_path: Path) -> Paths:
    """A git checkout with two commits; parameters and a file were changed after them."""
    root = tmp_path / "project"
    files = {
        "params.yaml": PARAMS,
        "dvc.yaml": STAGES,
        "one.py": ONE,
        "tests/test_one.py": "",
        ".gitignore": "state/\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    git(root, "init", "-q")
    git(root, "add", ".")
    commit(root)
    (root / "one.py").write_text(ONE + "# later\n", encoding="utf-8")
    commit(root)
    (root / "one.py").write_text("raise SystemExit(1)  # a person is at work\n", encoding="utf-8")
    write_params(root / "params.yaml", root / "params.yaml", {"train.epochs": 7})
    (root / "state").mkdir()
    return Paths(root)


def git(root: Path, *arguments: str) -> str:
    author = {f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, env=os.environ | author)
    return done.stdout.decode().strip()


def commit(root: Path) -> None:
    git(root, "commit", "-qam", "a commit")


def done(cycle: str, version: str, **overrides: object) -> CycleRecord:
    return CycleRecord(
        cycle=cycle, revision="r", reason="", overrides=overrides, version=version,
        finished=datetime(2026, 1, 1, tzinfo=UTC), adopted=False,
    )  # fmt: skip


def test_it_holds_the_revision_with_production_s_parameters_and_state(site: Paths) -> None:
    before = git(site.root, "status", "--porcelain"), git(site.root, "worktree", "list")
    place = create_checkout(site.root, resolve_revision(site.root, "HEAD~1"), site, "c1")
    assert (place / "one.py").read_text(encoding="utf-8") == ONE
    assert not (place / "tests").exists()
    assert load_params(place / "params.yaml").train.epochs == 7
    assert Paths(place).state.resolve() == site.state
    assert Paths(place).home.root == site.root
    assert (git(site.root, "status", "--porcelain"), git(site.root, "worktree", "list")) == before


def test_a_result_names_the_revision_it_was_made_at(site: Paths) -> None:
    revision = resolve_revision(site.root, "HEAD~1")
    assert revision == git(site.root, "rev-parse", "HEAD~1") != git(site.root, "rev-parse", "HEAD")
    assert _revision(create_checkout(site.root, revision, site, "c1")) == revision


def test_a_second_checkout_restores_and_a_person_s_run_beside_it_is_not_disturbed(site: Paths) -> None:
    revision = resolve_revision(site.root, "")
    first, second = (create_checkout(site.root, revision, site, name) for name in ("c1", "c2"))
    assert reproduce("one", first).ran
    assert not reproduce("one", second).ran
    assert (second / "data" / "one.txt").read_text(encoding="utf-8") == "made"
    assert (site.state / "ran").read_text(encoding="utf-8") == "x"
    assert not (site.root / "data").exists()
    assert not (site.root / "dvc.lock").exists()


def test_without_git_the_files_come_as_they_lie_there(tmp_path: Path) -> None:
    site = Paths(tmp_path / "image")
    for name in (
        "params.yaml",
        "flows/a.py",
        "data/big",
        "state/log",
        ".dvc/config",
        ".dvc/cache/x",
        "flows/__pycache__/a",
    ):
        (site.root / name).parent.mkdir(parents=True, exist_ok=True)
        (site.root / name).write_text(name, encoding="utf-8")
    assert resolve_revision(site.root, "") == FILES
    place = create_checkout(site.root, FILES, site, "c1")
    files = {str(Path(folder, name).relative_to(place)) for folder, _, names in os.walk(place) for name in names}
    assert files == {"params.yaml", "flows/a.py", ".dvc/config", ".dvc/config.local", ".revision"}


def test_an_unknown_revision_leaves_nothing(site: Paths) -> None:
    with pytest.raises(DataError, match=r"operate\.revision"):
        resolve_revision(site.root, "no-such-branch")
    with pytest.raises(DataError, match="revision 000000000000"):
        create_checkout(site.root, "0" * 40, site, "c1")
    assert [file.name for file in site.cycles.glob("[!.]*")] == []


def test_production_reads_the_project_until_a_cycle_s_model_is_champion(site: Paths) -> None:
    (site.root / "data").mkdir()
    (site.root / "data" / "whose").write_text("the person's", encoding="utf-8")
    live = Paths(ensure_production(site))
    assert (live.root / "data" / "whose").read_text(encoding="utf-8") == "the person's"
    assert cycle_in_use(site) == ""

    place = create_checkout(site.root, resolve_revision(site.root, ""), live, "c1")
    (place / "data").mkdir()
    (place / "data" / "whose").write_text("the cycle's", encoding="utf-8")
    record_cycle(live, done("c1", "4", **{"train.epochs": 11}))
    assert not adopt_cycle(live, "3")
    assert adopt_cycle(live, "4")

    assert (live.root / "data" / "whose").read_text(encoding="utf-8") == "the cycle's"
    assert (site.root / "data" / "whose").read_text(encoding="utf-8") == "the person's"
    assert cycle_in_use(site) == "c1"
    assert load_params(live.params).train.epochs == load_params(site.params).train.epochs == 11
    assert (live.root / "params.yaml").is_symlink()


@pytest.mark.parametrize("inside", ["", "state/production", "state/cycles/c1"])
def test_relative_places_mean_the_project_s_folder_wherever_they_are_read(site: Paths, inside: str) -> None:
    ensure_production(site)
    create_checkout(site.root, resolve_revision(site.root, ""), site, "c1")
    place = Paths(site.root / inside)
    store_of(place, KeepParams(days=1, location="../kept")).put("anna/r1/record.json", b"{}")
    assert (site.root.parent / "kept" / "anna" / "r1" / "record.json").read_bytes() == b"{}"
    store_of(place, KeepParams(days=1, location="")).put("anna/r2/record.json", b"{}")
    assert (site.kept / "anna" / "r2" / "record.json").is_file()
    (site.root / "photos").mkdir()
    (site.root / "photos" / "a.png").touch()
    data = load_params(place.params, {"data.source": "folder", "data.location": "photos"}).data
    assert [item.name for item in open_source(data, Limits.of(load_params(place.params).ingest), place)] == ["a.png"]


@pytest.mark.parametrize("inside", ["", "state/production"])
def test_an_experiment_s_folder_has_the_project_s_state_and_places(site: Paths, inside: str) -> None:
    ensure_production(site)
    place = Paths(site.root / inside / ".dvc" / "tmp" / "exps" / "tmp1")
    place.root.mkdir(parents=True)
    assert (place.home.root, place.state.resolve(), place.checkpoints.resolve()) == (
        site.root, site.state, site.checkpoints,
    )  # fmt: skip
    assert place.evaluation_report.is_relative_to(place.root)
    assert Paths(site.root).experimenter is None


def test_a_folder_of_one_s_own_with_a_linked_state_is_at_home_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "disk" / "state").mkdir(parents=True)
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "state").symlink_to(tmp_path / "disk" / "state")
    assert Paths(tmp_path / "project").home.root == tmp_path / "project"


def test_parameters_come_home_once_so_that_a_person_s_later_change_stays(site: Paths) -> None:
    before = site.params.read_bytes()
    (create_checkout(site.root, resolve_revision(site.root, ""), site, "c1") / "data").mkdir()
    record_cycle(site, done("c1", "4", **{"train.epochs": 11}))
    adopt_cycle(site, "4")
    assert load_params(site.params).train.epochs == 11
    set_own_values(site.params, {"train.epochs": 12})
    assert adopt_cycle(site, "4")
    assert load_params(site.params).train.epochs == 12
    assert [entry.adopted for entry in cycle_records(site)] == [True]
    assert site.params.read_bytes() == before


def test_what_a_cycle_adopts_is_outside_git_and_changes_of_others_come_in(site: Paths, tmp_path: Path) -> None:
    git(site.root, "checkout", "-q", ".")
    git(tmp_path, "clone", "-q", str(site.root), "upstream")
    git(site.root, "remote", "add", "origin", str(tmp_path / "upstream"))
    branch = git(site.root, "branch", "--show-current")
    write_params(tmp_path / "upstream" / "params.yaml", tmp_path / "upstream" / "params.yaml", {"train.patience": 9})
    commit(tmp_path / "upstream")

    place = create_checkout(site.root, resolve_revision(site.root, ""), site, "c1")
    take_values(Paths(place), {"masks.training.kind_weights": {"fold": 2.0}})
    (place / "data").mkdir()
    record_cycle(site, done("c1", "4", **{"masks.training.kind_weights": {"fold": 2.0}}))
    adopt_cycle(site, "4")
    assert git(site.root, "status", "--porcelain") == ""
    git(site.root, "pull", "-q", "origin", branch)
    params = load_params(ensure_production(site) / "params.yaml")
    assert (params.masks.training.kind_weights, params.train.patience) == ({"fold": 2.0}, 9)
    assert git(site.root, "status", "--porcelain") == ""


def test_a_checkout_holds_own_values_as_they_were_and_its_cycle_s_own_beside_them(site: Paths) -> None:
    set_own_values(site.params, {"train.epochs": 11, "train.patience": 5})
    place = Paths(create_checkout(site.root, resolve_revision(site.root, ""), site, "c1"))
    take_values(place, {"train.epochs": 12})
    set_own_values(site.params, {"train.patience": 6})
    train = load_params(place.params).train
    assert (train.epochs, train.patience) == (12, 5)
    assert not place.overlay.exists()
    assert load_params(site.params).train.epochs == 11


def test_a_cycle_by_hand_writes_its_values_to_the_overlay(site: Paths) -> None:
    before = site.params.read_bytes()
    take_values(site, {"train.epochs": 11, "champion.version": "3"})
    params = load_params(site.params)
    assert (params.train.epochs, params.champion.version) == (11, "3")
    assert site.params.read_bytes() == before
