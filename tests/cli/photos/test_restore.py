"""The command with what ships: real weights, real detectors, real photographs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from cli.photos.restore import restore_command
from models.assets import ASSETS
from models.errors import LikenessError, MaskError, WeightsError
from models.images import Image, Mask
from pipeline.image_io.write import read_picture, write_picture
from tests.conftest import ROOT
from tests.pipeline.image_io.test_write import LIMITS
from tests.restoration.site import astronaut, box_over, tools

pytestmark = pytest.mark.skipif(
    not (ASSETS / "restorer.safetensors").is_file(), reason="needs the weights that ship in assets/"
)


@pytest.fixture(scope="module")
def mask() -> Mask:
    return box_over(tools().detector.detect(astronaut())[0], astronaut().shape, (0.2, 0.55, 0.8, 1.0))


@pytest.fixture
def files(tmp_path: Path, mask: Mask) -> tuple[Path, Path]:
    write_picture(tmp_path / "photo.png", np.where(mask[..., None], 0, astronaut()).astype(np.uint8))
    write_picture(tmp_path / "mask.png", white(mask))
    return tmp_path / "photo.png", tmp_path / "mask.png"


def white(mask: Mask) -> Image:
    return np.repeat(mask[..., None] * np.uint8(255), 3, axis=-1)


def arguments(photo: Path, mask: Path, out: Path, *more: str) -> list[str]:
    return [str(photo), "--mask", str(mask), "--out", str(out), "--root", str(ROOT), "--model", "shipped", *more]


def test_a_wrong_inpainter_is_told_before_any_photo_is_read(files: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    (tmp_path / "root" / "params.yaml").write_text(text.replace("inpainter: null", "inpainter: nets/lama.onnx"))
    given = [str(files[0]), "--mask", str(files[1]), "--root", str(tmp_path / "root"), "--model", "shipped"]
    result = CliRunner().invoke(restore_command, given)
    assert isinstance(result.exception, WeightsError)
    assert result.exception.expected == f"an ONNX graph at {(tmp_path / 'root').resolve() / 'nets/lama.onnx'}"


@pytest.mark.slow
def test_one_photo_with_the_shipped_weights(files: tuple[Path, Path], tmp_path: Path, mask: Mask) -> None:
    write_picture(tmp_path / "reference.png", astronaut())
    out = tmp_path / "out.png"
    row = json.loads(in_its_own_process(*files, out, "--json", "--reference", str(tmp_path / "reference.png")))
    assert (row["outcome"], row["mode"], row["model"]) == ("restored", "inpaint", "shipped")
    alike = row["faces"][0]["likeness"]
    assert set(alike["to_reference"]) == set(alike["to_plain"]) == {"sface", "dlib"}
    assert -1 <= min(alike["to_reference"].values()) <= max(alike["to_reference"].values()) <= 1
    restored = read_picture(out, LIMITS)
    assert np.array_equal(restored[~mask], astronaut()[~mask])
    off = np.abs(restored.astype(int) - astronaut())[mask].mean()
    assert off < 0.5 * astronaut()[mask].mean()  # the damaged pixels were black


def in_its_own_process(photo: Path, mask: Path, out: Path, *more: str) -> str:
    """What the command prints; fails if it loads a framework that restoring from shipped weights does not need."""
    code = (
        "import sys\nfrom cli.photos.restore import restore_command\n"
        f"restore_command.main({arguments(photo, mask, out, *more)!r}, standalone_mode=False)\n"
        "assert not {'mlflow', 'lightning', 'prefect', 'evidently'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.mark.slow
def test_a_folder_with_a_bad_file_has_status_1_and_a_row_for_each(files: tuple[Path, Path], tmp_path: Path) -> None:
    photos, masks = tmp_path / "photos", tmp_path / "masks"
    for folder, source in ((photos, files[0]), (masks, files[1])):
        folder.mkdir()
        (folder / "good.png").write_bytes(source.read_bytes())
        (folder / "bad.png").write_bytes(source.read_bytes() if folder is masks else b"")
    result = CliRunner().invoke(restore_command, arguments(photos, masks, tmp_path / "out", "--json"))
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["outcome"] for row in rows] == ["failed", "restored"]
    assert result.exit_code == 1
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["good.png"]


@pytest.mark.slow
def test_a_single_bad_file_is_one_error_and_nothing_is_written(files: tuple[Path, Path], tmp_path: Path) -> None:
    write_picture(tmp_path / "other.png", white(np.ones((64, 64), np.bool_)))
    result = CliRunner().invoke(restore_command, arguments(files[0], tmp_path / "other.png", tmp_path / "out.png"))
    assert isinstance(result.exception, MaskError)
    assert not (tmp_path / "out.png").exists()


@pytest.mark.slow
def test_a_photo_alone_is_searched_and_restored_beside_it(tmp_path: Path) -> None:
    crack = np.zeros(astronaut().shape[:2], np.uint8)
    steps = np.arange(60, 420, 6)
    line = np.stack([steps, 90 + np.cumsum(np.random.default_rng(1).normal(0, 4, len(steps)))], axis=1)
    cv2.polylines(crack, [line.round().astype(np.int32).reshape(-1, 1, 2)], False, 255, 2, cv2.LINE_AA)
    photo = np.where(crack[..., None] > 127, np.array([248, 240, 220], np.uint8), astronaut())
    write_picture(tmp_path / "photo.png", photo)
    alone = [str(tmp_path / "photo.png"), "--root", str(ROOT), "--model", "shipped"]
    kept = ["--save-mask", str(tmp_path / "found.png")]
    result = CliRunner().invoke(restore_command, [*alone, *kept, "--mode", "inpaint", "--json"])
    row = json.loads(result.stdout)
    assert (row["outcome"], row["output"]) == ("restored", str(tmp_path / "photo-restored.png"))
    assert row["mask"]["source"] == "found"
    assert 0 < row["mask"]["confidence"] <= 1
    assert row["mask"]["pieces"][0]["used"]
    found = read_picture(tmp_path / "found.png", LIMITS)[..., 0] == 255
    assert found[crack > 127].mean() > 0.8
    known = cv2.dilate(found.astype(np.uint8), np.ones((25, 25), np.uint8)) == 0  # the mask grows over soft edges
    assert np.array_equal(read_picture(tmp_path / "photo-restored.png", LIMITS)[known], photo[known])


def test_with_json_a_single_bad_file_is_a_row(tmp_path: Path) -> None:
    write_picture(tmp_path / "mask.png", white(np.eye(64, dtype=np.bool_)))
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    for name in ("bad.jpg", "absent.jpg"):
        result = CliRunner().invoke(
            restore_command, arguments(tmp_path / name, tmp_path / "mask.png", tmp_path / "out.png", "--json")
        )
        (row,) = [json.loads(line) for line in result.stdout.splitlines()]
        assert (row["outcome"], row["output"], row["input"]) == ("failed", None, str(tmp_path / name))
        assert result.exit_code == 1
    assert "unsupported_format" not in row["reason"]
    assert "no such path" in row["reason"]


@pytest.mark.slow
def test_outside_a_checkout_what_is_installed_counts_and_state_is_the_users(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    elsewhere, state = tmp_path / "elsewhere", tmp_path / "state"
    elsewhere.mkdir()
    given = [str(files[0]), "--mask", str(files[1]), "--strip", "--json"]
    code = f"from cli.main import main; main(['--quiet', 'restore', *{given!r}])"
    environment = os.environ | {"XDG_STATE_HOME": str(state), "PYTHONPATH": str(ROOT)}
    before = {path: path.stat().st_mtime_ns for path in (ROOT / "state").rglob("*")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=elsewhere, env=environment, check=True, capture_output=True, text=True
    )
    row = json.loads(done.stdout)
    assert (row["outcome"], row["output"]) == ("restored", str(tmp_path / "photo-restored.png"))
    assert (state / "likeness" / "state" / "keys" / "c2pa.key").is_file()
    assert list(elsewhere.iterdir()) == []
    assert {path: path.stat().st_mtime_ns for path in (ROOT / "state").rglob("*")} == before


@pytest.mark.slow
def test_any_name_gets_its_row_on_a_strict_terminal(files: tuple[Path, Path], tmp_path: Path) -> None:
    photos, masks = tmp_path / "photos", tmp_path / "masks"
    names = [b"M\xfcller.png", "祖母.png".encode(), b"two\nlines.png"]
    for folder, source in ((photos, files[0]), (masks, files[1])):
        folder.mkdir()
        for name in names:
            (folder / os.fsdecode(name)).write_bytes(source.read_bytes())
    (photos / "a.xmp").write_bytes(b"<x/>")
    code = f"from cli.main import main; main(['restore', *{arguments(photos, masks, tmp_path / 'out')!r}])"
    environment = os.environ | {"PYTHONIOENCODING": "utf-8:strict", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True)
    rows = done.stdout.decode().splitlines()
    assert len(rows) == 3
    assert all(row.startswith("restored: ") for row in rows)
    assert "M\\udcfcller.png" in rows[0]
    assert "two\\nlines.png" in rows[1]
    assert "祖母.png" in rows[2]
    assert "no photos, left out: a.xmp" in done.stderr.decode()


def test_paths_are_checked_before_anything_is_loaded(tmp_path: Path) -> None:
    result = CliRunner().invoke(restore_command, arguments(tmp_path / "a.png", tmp_path, tmp_path / "o.png"))
    assert isinstance(result.exception, LikenessError)
    assert "no such path" in str(result.exception)


def test_importing_the_command_loads_nothing_heavy() -> None:
    code = "import sys, cli.photos.restore; print(sorted({'torch', 'cv2', 'numpy', 'mlflow'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
