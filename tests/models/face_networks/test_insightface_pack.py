"""Which file of a pack does what, and what is said where there is none."""

import hashlib
import logging
from pathlib import Path

import pytest

from models.errors import WeightsError
from models.face_networks.insightface_pack import LICENCE, find_pack, is_folder, load_pack_model, pack_file, short_name
from tests.packs import write_detection, write_recognition


def test_a_path_is_a_folder_and_a_word_is_a_name() -> None:
    folders, names = ("./mine", "packs/mine", "/srv/mine", "~/mine"), ("buffalo_l", "antelopev2", "sface")
    assert all(map(is_folder, folders))
    assert not any(map(is_folder, names))
    assert [short_name(name) for name in (*folders, "buffalo_l")] == ["mine"] * 4 + ["buffalo_l"]


def test_files_are_told_apart_by_what_they_do(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    detection, recognition = write_detection(tmp_path / "mine"), write_recognition(tmp_path / "mine")
    pack = str(tmp_path / "mine")
    with caplog.at_level(logging.WARNING, "models.face_networks.insightface_pack"):
        assert load_pack_model(pack, "recognition").path == recognition
        assert pack_file(pack, "detection")[0] == detection
    assert pack_file(pack, "recognition")[1] == hashlib.sha256(recognition.read_bytes()).hexdigest()
    assert [record.message for record in caplog.records] == [f"{pack}: {LICENCE}"]  # once


def test_a_name_is_looked_up_where_insightface_keeps_its_packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / ".insightface" / "models" / "buffalo_x"
    with pytest.raises(WeightsError, match=rf"the insightface pack buffalo_x at {folder}; got no such folder; put the"):
        find_pack("buffalo_x")
    assert not (tmp_path / ".insightface").exists()  # nothing was downloaded
    write_recognition(folder)
    assert find_pack("buffalo_x") == folder
    assert load_pack_model("buffalo_x", "recognition").path.parent == folder


def test_what_lacks_is_said(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"got a folder without ONNX files; put .*yunet"):
        find_pack(str(tmp_path))
    write_recognition(tmp_path)
    message = r"a model for detection in .*; got w600k_like.onnx \(recognition\); add the pack's ONNX file"
    with pytest.raises(WeightsError, match=message):
        load_pack_model(str(tmp_path), "detection")


def test_a_file_that_is_no_graph_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"no graph")
    with pytest.raises(WeightsError, match=r"a model that insightface reads in .*broken.onnx; got"):
        load_pack_model(str(tmp_path), "recognition")
