"""torchvision can be imported, whatever the state of its compiled part."""

from pathlib import Path

from models.runtime.torchvision_ops import _loads, ensure_torchvision_ops


def test_torchvision_imports_afterwards() -> None:
    ensure_torchvision_ops()
    import torchvision.ops

    assert callable(torchvision.ops.nms)


def test_more_calls_change_nothing() -> None:
    assert ensure_torchvision_ops() == ensure_torchvision_ops()


def test_a_binary_that_is_absent_or_broken_does_not_load(tmp_path: Path) -> None:
    assert not _loads(tmp_path)
    (tmp_path / "_C.so").write_bytes(b"not a library")
    assert not _loads(tmp_path)
