"""The overlay: own values count over params.yaml, which stays as git has it; every mistake is named."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from models.errors import ConfigError
from pipeline.config.load import load_params
from pipeline.project.paths import Paths
from pipeline.workspaces.overlay import list_values, set_own_values, unset_own_values
from tests.conftest import ROOT

TRACKED = load_params(ROOT / "params.yaml")


@pytest.fixture
def params(tmp_path: Path) -> Path:
    return Path(shutil.copy(ROOT / "params.yaml", tmp_path))


def overlaid(params: Path, text: str) -> Path:
    """An overlay that a person wrote."""
    file = Paths(params.parent).overlay
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_own_values_count_and_go_again(params: Path) -> None:
    before = params.read_bytes()
    set_own_values(
        params, {"train.epochs": 9, "masks.training.bucket_weights": [1, 1, 1, 1, 2.5], "keep.location": "x"}
    )
    own = load_params(params)
    assert (own.train.epochs, own.masks.training.bucket_weights[-1], own.keep.location) == (9, 2.5, "x")
    assert load_params(params, {"train.epochs": 4}).train.epochs == 4
    unset_own_values(params, ["train.epochs", "masks"])
    assert load_params(params) == TRACKED.model_copy(update={"keep": own.keep})
    unset_own_values(params, ["keep.location"])
    assert not Paths(params.parent).overlay.exists()
    assert params.read_bytes() == before


def test_a_new_key_of_params_yaml_and_own_values_count_both_and_comments_stay(params: Path) -> None:
    file = overlaid(params, "# our scanners\ningest:\n  max_side: 5000  # large\ngate:\nmasks:\n  kinds: {fold: 3}\n")
    file.write_text(file.read_text().replace("  max_side: 5000  # large\n", "  min_side: 70  # large\n"))
    params.write_text(params.read_text().replace("  epochs: 2 ", "  epochs: 3 "))
    set_own_values(params, {"serve.queue": 7})
    own = load_params(params)
    assert (own.train.epochs, own.serve.queue, own.ingest.min_side, own.gate) == (3, 7, 70, TRACKED.gate)
    assert own.masks.kinds == {**TRACKED.masks.kinds, "fold": 3}
    text = file.read_text()
    assert "# our scanners" in text
    assert "# large" in text


def test_an_address_with_colons_in_a_list_of_one_line_can_be_read_again(params: Path) -> None:
    overlaid(params, 'serve: {proxy: {trusted: [127.0.0.1, "::1"]}}\n')
    set_own_values(params, {"serve.queue": 7})
    assert load_params(params).serve.proxy.trusted == ("127.0.0.1", "::1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train: [", "expected valid YAML in FILE; got .* in line 1"),
        ("train: 1\ntrain: 2\n", "expected valid YAML in FILE; got found duplicate key .* in line 2"),
        ("- a\n", "expected sections in FILE; got a list; correct it, or move it away"),
        (
            "train: {removed: 1}\n",
            "only known keys in FILE; got the unknown key train.removed; .*unset train.removed --root",
        ),
        ("train: {removed: {a: 1}}\n", "only known keys in FILE; got the unknown key train.removed; correct"),
        ("surprise: 1\n", "only known keys in FILE; got the unknown key surprise"),
        ("train.epochs: 1\n", "only known keys in FILE; got the unknown key train.epochs"),
        ("train: {epochs: many}\n", "train.epochs: .* integer.*; got 'many' in FILE; correct train.epochs there"),
        ("train: 5\n", "train: .*; got 5 in FILE; correct train there"),
        ("gate: {criteria: [{name: a}]}\n", "gate.criteria.0.* in FILE"),
        ("data: {source: folder}\n", "data.location must name a folder.*; change data in params.yaml or in FILE"),
        ("train: {generator: {wide: 1}}\n", "the unknown key train.generator.wide; .*FOLDER"),
    ],
)
def test_a_mistake_in_the_overlay_is_told_with_its_file(params: Path, text: str, message: str) -> None:
    file = overlaid(params, text)
    pattern = message.replace("FILE", str(file)).replace("FOLDER", str(params.parent))
    with pytest.raises(ConfigError, match=pattern) as caught:
        load_params(params)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text_and_a_folder_in_its_place_are_told(params: Path) -> None:
    file = overlaid(params, "")
    assert load_params(params) == TRACKED
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=f"valid YAML in {file}"):
        load_params(params)
    file.unlink()
    file.mkdir()
    with pytest.raises(ConfigError, match=f"readable file at {file}"):
        load_params(params)


def test_a_mistake_in_what_is_set_for_one_call_is_not_laid_on_the_overlay(params: Path) -> None:
    set_own_values(params, {"train.epochs": 3})
    with pytest.raises(ConfigError, match=r"train\.epochs: .*; got -1; change"):
        load_params(params, {"train.epochs": -1})


def test_a_mistake_in_params_yaml_is_not_laid_on_the_overlay(params: Path) -> None:
    set_own_values(params, {"train.patience": 3})
    params.write_text(params.read_text().replace("batch_size: 8", "batch_size: 0"))
    with pytest.raises(ConfigError, match=r"train\.batch_size: .*; got 0; change train\.batch_size in params\.yaml$"):
        load_params(params)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"train.epoch": 7}, "only known keys in params.yaml; got the unknown key train.epoch; see `likeness params`"),
        ({"train.epochs": -1}, "train.epochs: .*; got -1; see `likeness params`"),
        ({"train": {"epochs": 3}}, "expected the key of a value; got the section train"),
        ({"data.source": "folder"}, "data.location must name a folder .*; see `likeness params`"),
        ({"serve.queue": 3, "masks.training.kind_weights.nobody": 1}, "nobody"),
    ],
)
def test_what_is_not_admitted_is_not_written(params: Path, values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        set_own_values(params, values)
    assert not Paths(params.parent).overlay.exists()


def test_values_that_are_refused_can_be_removed_one_after_the_other_or_set_right(params: Path) -> None:
    overlaid(params, "train: {removed: 1, epochs: many}\nserve: {gone: 1}\ntrain.patience: 3\n")
    unset_own_values(params, ["train.patience"])
    unset_own_values(params, ["train.removed"])
    unset_own_values(params, ["serve.gone"])
    set_own_values(params, {"train.epochs": 3})
    assert load_params(params).train.epochs == 3
    with pytest.raises(ConfigError, match=r"got no train\.removed; see `likeness params --own`"):
        unset_own_values(params, ["train.removed"])


def test_removing_a_value_that_others_need_is_refused(params: Path) -> None:
    set_own_values(params, {"data.source": "folder", "data.location": "/photos"})
    with pytest.raises(ConfigError, match="must name a folder"):
        unset_own_values(params, ["data.location"])
    assert load_params(params).data.location == "/photos"


def test_of_many_at_once_no_change_is_lost(params: Path) -> None:
    changes: list[Callable[[], None]] = [
        lambda key=key, number=number: set_own_values(params, {key: number})  # type: ignore[misc] # defaults bind now
        for number, key in enumerate(("train.epochs", "train.patience", "serve.queue", "serve.workers"), start=2)
    ]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda change: change(), changes))
    own = load_params(params)
    assert (own.train.epochs, own.train.patience, own.serve.queue, own.serve.workers) == (2, 3, 4, 5)


def test_each_value_is_listed_with_the_place_where_it_stands(params: Path) -> None:
    set_own_values(params, {"train.epochs": 9, "masks.training.kind_weights": {"fold": 2.0}})
    listed = list_values(params)
    epochs, patience = listed["train.epochs"], listed["train.patience"]
    assert (epochs.value, epochs.place, epochs.tracked) == (9, "local/params.yaml", (TRACKED.train.epochs,))
    assert (patience.value, patience.place, patience.own) == (TRACKED.train.patience, "params.yaml", False)
    assert [name for name, value in listed.items() if value.own] == ["masks.training.kind_weights.fold", "train.epochs"]
    assert listed["masks.training.kind_weights.fold"].tracked == ()
    assert set(list_values(params, "gate")) == {"gate.criteria"}
    assert list_values(params, "validate.min_portraits")["validate.min_portraits"].place == "params.yaml"
    with pytest.raises(ConfigError, match=r"got train\.nothing"):
        list_values(params, "train.nothing")


def test_the_overlay_counts_in_production_and_in_experiments_and_not_in_a_cycle_s_checkout(params: Path) -> None:
    home = Paths(params.parent)
    home.production.mkdir(parents=True)
    (home.production / "state").symlink_to("..")
    (home.production / "params.yaml").symlink_to("../../params.yaml")
    experiment = Paths(home.root / ".dvc" / "tmp" / "exps" / "standalone" / "tmp1")
    assert Paths(home.production).overlay == experiment.overlay == home.overlay == home.root / "local" / "params.yaml"
    set_own_values(home.production / "params.yaml", {"train.epochs": 9})
    assert load_params(params).train.epochs == load_params(home.production / "params.yaml").train.epochs == 9
    checkout = home.cycles / "c1"
    checkout.mkdir(parents=True)
    (checkout / "state").symlink_to("../..")
    shutil.copy(ROOT / "params.yaml", checkout)
    assert load_params(checkout / "params.yaml") == TRACKED
