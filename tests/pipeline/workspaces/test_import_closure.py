"""The import closure, on a package made for it."""

from pathlib import Path

from pipeline.workspaces.import_closure import closure


def write(root: Path, name: str, text: str) -> None:
    """A module at `root`."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_closure_follows_what_runs(tmp_path: Path) -> None:
    write(tmp_path, "models/__init__.py", "")
    write(tmp_path, "models/a.py", "from models import b\n")
    write(tmp_path, "models/b.py", "import numpy\n")
    write(tmp_path, "models/typed.py", "")
    write(tmp_path, "models/unused.py", "")
    write(tmp_path, "pipeline/__init__.py", "")
    inside = "def f():\n    from models.a import g\n"
    typed = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from models.typed import T\n"
    write(tmp_path, "pipeline/stage.py", typed + inside)
    found = {str(file) for file in closure("pipeline.stage", tmp_path)}
    expected = {"pipeline/__init__.py", "pipeline/stage.py", "models/__init__.py", "models/a.py", "models/b.py"}
    assert found == expected
