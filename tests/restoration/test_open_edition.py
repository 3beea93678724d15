"""The open edition restores where nothing that derives from research data is there to be read."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models.assets import ASSETS
from models.images import Image, Mask
from models.package_files import file_sha256
from pipeline.image_io.write import read_picture, write_picture
from tests.conftest import ROOT
from tests.pipeline.image_io.test_write import LIMITS
from tests.restoration.site import astronaut, box_over, tools

PACKAGES = ("models", "pipeline", "restoration", "cli")
OPEN_TO_ALL = {"detector", "sface", "dlib_recognition"}
"""Files of packages that anyone may use: YuNet (MIT), SFace (Apache-2.0), dlib's recogniser (public domain)."""
RECORDED = """
import json, sys
import models.package_files as package_files
found, read, locate = {wanted.path: role for role, wanted in package_files.FILES.items()}, [], package_files._locate
def located(wanted):
    read.append(found[wanted.path])
    return locate(wanted)
package_files._locate = located
opened = []
sys.addaudithook(lambda event, given: opened.append(str(given[0])) if event == "open" else None)
from cli.main import main
sys.argv = ["likeness", *sys.argv[2:]]
try:
    main()
finally:
    import models
    facts = {"roles": read, "code": models.__file__, "opened": [name for name in opened if "/assets/" in name]}
    open({record!r}, "w").write(json.dumps(facts))
"""


@pytest.fixture(scope="module")
def mask() -> Mask:
    return box_over(tools().detector.detect(astronaut())[0], astronaut().shape, (0.2, 0.55, 0.8, 1.0))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code that restoring needs, parameters of the edition `open`, and of assets/ only what is open."""
    folder = tmp_path_factory.mktemp("open")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "assets").mkdir()
    for file in ASSETS.glob("open_*"):
        shutil.copy(file, folder / "assets")
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    assert "edition: research" in text
    (folder / "params.yaml").write_text(text.replace("edition: research", "edition: open"), encoding="utf-8")
    return folder


def likeness(checkout: Path, *arguments: str) -> tuple[subprocess.CompletedProcess[str], dict[str, object]]:
    """Run the command in that folder; also gives what was read."""
    record = checkout / "record.json"
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    done = subprocess.run(
        [sys.executable, "-c", RECORDED.replace("{record!r}", repr(str(record))), "-", *arguments],
        cwd=checkout, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done, json.loads(record.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_a_photo_is_restored_from_open_files_alone(checkout: Path, mask: Mask, tmp_path: Path) -> None:
    damaged: Image = np.where(mask[..., None], 255, astronaut()).astype(np.uint8)
    photo, drawn, out, reference = (tmp_path / f"{name}.png" for name in ("photo", "mask", "out", "reference"))
    write_picture(photo, damaged)
    write_picture(drawn, np.repeat(mask[..., None] * np.uint8(255), 3, axis=-1))
    write_picture(reference, astronaut())
    given = ["--mask", str(drawn), "--out", str(out), "--reference", str(reference), "--json"]
    done, read = likeness(checkout, "restore", str(photo), *given)
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout)
    assert row["outcome"] == "restored"
    assert row["faces"][0]["likeness"]["to_reference"].keys() == {"sface", "dlib-open"}
    assert str(read["code"]).startswith(str(checkout))
    assert set(read["roles"]) == OPEN_TO_ALL  # type: ignore[call-overload] # of JSON
    assert all(Path(name).name.startswith("open_") for name in read["opened"])  # type: ignore[attr-defined] # of JSON
    restored = read_picture(out, LIMITS)
    error = np.abs(restored.astype(int) - astronaut())[mask].mean()
    assert error < 0.5 * np.abs(damaged.astype(int) - astronaut())[mask].mean()


def test_its_files_have_cards_and_stay_small() -> None:
    weights = list(ASSETS.glob("open_*.safetensors"))
    assert len(weights) == 4
    for file in weights:
        assert json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))["sha256"] == file_sha256(file)
    assert sum(file.stat().st_size for file in ASSETS.glob("open_*")) < 3_400_000


@pytest.mark.slow
def test_without_a_mask_it_says_that_there_is_no_finder(checkout: Path, tmp_path: Path) -> None:
    write_picture(tmp_path / "photo.png", astronaut())
    done, read = likeness(checkout, "restore", str(tmp_path / "photo.png"))
    assert done.returncode == 1
    assert "the edition open has no damage finder" in done.stderr
    assert "--mask" in done.stderr
    assert read["opened"] == []
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]
