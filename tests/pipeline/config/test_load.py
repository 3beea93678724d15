"""params.yaml: every kind of mistake gets one line that says what to change."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from models.errors import ConfigError
from pipeline.config.identity import IdentityParams
from pipeline.config.load import load_params, write_params
from tests.conftest import ROOT

DEFAULT = ROOT / "params.yaml"


def edited(tmp_path: Path, edit: Callable[[str], str]) -> Path:
    """params.yaml with its text changed."""
    path = tmp_path / "params.yaml"
    text = DEFAULT.read_text(encoding="utf-8")
    changed = edit(text)
    assert changed != text
    path.write_text(changed, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda text: text.replace("image_size:", "image_sise:"), "ingest.image_si[sz]e"),
        (lambda text: text + "\nsurprise: 1\n", "unknown key surprise"),
        (lambda text: text.replace("image_size: 128", "image_size: 130"), "multiple of 16.*130"),
        (lambda text: text.replace("train: 0.6", "train: 0.7"), r"must be 1"),
        (lambda text: text.replace("source: sampler", "source: folder"), "data.location must name a folder"),
        (lambda text: text.replace("source: sampler", "source: flickr"), "data.source.*'flickr'"),
        (lambda text: text.replace("batch_size: 8", "batch_size: 0"), "train.batch_size.*0"),
        (lambda text: text.replace("learning_rate: 0.0002", "learning_rate: .nan"), "train.learning_rate"),
        (lambda text: re.sub(r"\n  seed: 3\n", "\n", text), "train.seed"),
        (
            lambda text: text.replace("judge: dlib", "judge: sface"),
            "both sface: a judge that restorations",
        ),
        (lambda text: text.replace("training: sface", "training: ./old/dlib"), "both dlib"),
        (
            lambda text: text.replace("edition: research", "edition: free"),
            "identity.edition.*'research' or 'open'.*'free'",
        ),
        (lambda text: text.replace("detector: yunet", 'detector: ""'), "identity.detector"),
        (lambda text: text.replace("data:", "data: ["), "valid YAML"),
        (lambda text: text.replace("metric: ms_ssim", "metric: charm"), r"gate.criteria.2.metric.*'charm'"),
        (
            lambda text: text.replace('metric: ms_ssim, versus: ""', "metric: id_fid, versus: telea"),
            "id_fid is not compared",
        ),
        (
            lambda text: text.replace(
                'versus: "", bucket: all, at_least: 0.85', 'versus: "", bucket: some, at_least: 0.85'
            ),
            r"ms_ssim names the bucket 'some'; there are .*'0.1-0.2'",
        ),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, edit: Callable[[str], str], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        load_params(edited(tmp_path, edit))
    assert "\n" not in str(caught.value)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load_params(tmp_path / "params.yaml")


def test_numbers_in_scientific_notation_are_numbers(tmp_path: Path) -> None:
    path = edited(tmp_path, lambda text: text.replace("learning_rate: 0.0002", "learning_rate: 1e-4"))
    assert load_params(path).train.learning_rate == pytest.approx(1e-4)


def test_overrides_change_one_value_and_keep_comments(tmp_path: Path) -> None:
    target = tmp_path / "out" / "params.yaml"
    write_params(DEFAULT, target, {"train.epochs": 7, "masks.training.bucket_weights": [1, 2, 3, 4, 5]})
    params = load_params(target)
    assert params.train.epochs == 7
    assert params.masks.training.bucket_weights == (1.0, 2.0, 3.0, 4.0, 5.0)
    assert "# an epoch ends with a validation" in target.read_text(encoding="utf-8")


def test_a_wrong_override_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"train\.epoch"):
        write_params(DEFAULT, tmp_path / "params.yaml", {"train.epoch": 7})
    with pytest.raises(ConfigError, match=r"train\.epochs"):
        write_params(DEFAULT, tmp_path / "params.yaml", {"train.epochs": -1})
    assert not list(tmp_path.iterdir())


def test_params_are_frozen() -> None:
    from pydantic import ValidationError

    params = load_params(DEFAULT)
    with pytest.raises(ValidationError):
        params.train.epochs = 3  # type: ignore[misc] # what must fail


@pytest.mark.parametrize(
    ("given", "expected"), [("nets/lama.onnx", "{folder}/nets/lama.onnx"), ("/nets/lama.onnx",) * 2]
)
def test_an_inpainter_lies_beside_the_parameters_unless_its_path_is_absolute(
    tmp_path: Path, given: str, expected: str
) -> None:
    assert load_params(DEFAULT).restore.inpainter is None
    path = edited(tmp_path, lambda text: text.replace("inpainter: null", f"inpainter: {given}"))
    assert load_params(path).restore.inpainter == expected.format(folder=tmp_path.resolve())


def test_the_edition_chooses_which_whitening_dlib_has() -> None:
    assert load_params(DEFAULT).identity.judge == "dlib"
    identity = load_params(DEFAULT, {"identity.edition": "open"}).identity
    assert (identity.training, identity.judge) == ("sface", "dlib-open")
    assert IdentityParams.model_validate_json(identity.model_dump_json()) == identity
    assert load_params(DEFAULT, {"identity.judge": "dlib-open"}).identity.judge == "dlib-open"


def test_a_pack_is_a_name_or_a_folder_beside_the_parameters(tmp_path: Path) -> None:
    path = edited(tmp_path, lambda text: text.replace("judge: dlib", "judge: ./packs/mine"))
    identity = load_params(path, {"identity.detector": "buffalo_l"}).identity
    assert (identity.training, identity.judge) == ("sface", str(tmp_path / "packs" / "mine"))
    assert (identity.detector, identity.packs) == ("buffalo_l", ("mine", "buffalo_l"))
    assert load_params(DEFAULT).identity.packs == ()
