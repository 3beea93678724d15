"""Find the files that a module needs: its import closure, read from the source, nothing is run."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

FIRST_PARTY = ("models", "pipeline", "restoration", "monitoring", "flows", "serving", "cli", "scripts")


def closure(module: str, root: Path) -> tuple[Path, ...]:
    """Files, relative to `root`, of a module and of everything first-party that it imports, also inside functions.

    Packages' `__init__` files along the way are part of it; imports for type checkers alone are not.
    """
    found: dict[Path, None] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        for file in _files(name, root):
            if file not in found:
                found[file] = None
                waiting += imports(root / file)
    return tuple(sorted(found))


@cache
def imports(file: Path) -> tuple[str, ...]:
    """First-party names that a file imports, as `package.module` or `package.module.name`."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return tuple(dict.fromkeys(name for name in _imported(tree) if name.partition(".")[0] in FIRST_PARTY))


def _imported(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module:
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        else:
            yield from _imported(child)


def _files(name: str, root: Path) -> Iterator[Path]:
    """The files behind a dotted name: every package's __init__ on the way, and the module itself."""
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        base = Path(*parts[:end])
        for file in (base.with_suffix(".py"), base / "__init__.py"):
            if (root / file).is_file():
                yield file
