"""The import closure, on packages made for it."""

from pathlib import Path

import pytest

from pipeline.workspaces.import_closure import closure


def write(root: Path, name: str, text: str) -> None:
    """A module at `root`."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_closure_follows_what_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "closure_low/__init__.py", "")
    write(tmp_path, "closure_low/a.py", "from closure_low import b\n")
    write(tmp_path, "closure_low/b.py", "import numpy\n")
    write(tmp_path, "closure_low/deep/__init__.py", "from closure_low import of_package\n")
    write(tmp_path, "closure_low/deep/inner.py", "")
    write(tmp_path, "closure_low/of_package.py", "")
    write(tmp_path, "closure_low/typed.py", "")
    write(tmp_path, "closure_low/unused.py", "")
    write(tmp_path, "closure_high/__init__.py", "")
    inside = "def f():\n    from closure_low.a import g\n    import closure_low.deep.inner\n"
    typed = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from closure_low.typed import T\n"
    write(tmp_path, "closure_high/stage.py", typed + inside)
    monkeypatch.syspath_prepend(tmp_path)
    found = {str(file) for file in closure("closure_high.stage", tmp_path, ("closure_high", "closure_low"))}
    low = {f"closure_low/{name}.py" for name in ("__init__", "a", "b", "of_package", "deep/__init__", "deep/inner")}
    assert found == {"closure_high/__init__.py", "closure_high/stage.py", *low}


def test_what_is_left_out_brings_nothing_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "closure_cut/__init__.py", "")
    write(tmp_path, "closure_cut/a.py", "def f():\n    from closure_cut import training\n    import closure_cut.b\n")
    write(tmp_path, "closure_cut/training.py", "import closure_cut.losses\nimport closure_cut.b\n")
    write(tmp_path, "closure_cut/losses.py", "")
    write(tmp_path, "closure_cut/b.py", "")
    monkeypatch.syspath_prepend(tmp_path)
    found = closure("closure_cut.a", tmp_path, ("closure_cut",), frozenset({"closure_cut.training"}))
    assert [str(file) for file in found] == [f"closure_cut/{name}.py" for name in ("__init__", "a", "b")]
