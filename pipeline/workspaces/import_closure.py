"""Find the files that a module needs: its import closure, read from the source by grimp; nothing is run."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grimp import ImportGraph

FIRST_PARTY = ("models", "pipeline", "restoration", "monitoring", "flows", "serving", "cli", "scripts")


def closure(
    module: str, root: Path, packages: tuple[str, ...] = FIRST_PARTY, without: frozenset[str] = frozenset()
) -> tuple[Path, ...]:
    """List the files, relative to `root`, of a module and of all first-party imports, also those inside functions.

    Packages' `__init__` files along the way are part of it; imports for type checkers alone are not.

    Args:
        module: dotted name.
        root: folder of the packages, on Python's search path.
        packages: first-party packages.
        without: modules that are imported nowhere where the files are used; neither they nor what they alone import
            is listed.
    """
    graph = _graph(packages)
    modules: set[str] = set()
    waiting = {module}
    while waiting:
        modules |= waiting
        imported = {name for start in waiting for name in graph.find_modules_directly_imported_by(start)}
        waiting = (imported | {parent for name in modules for parent in _parents(name)}) - modules - without
    return tuple(sorted(_file(name, root) for name in modules))


@cache
def _graph(packages: tuple[str, ...]) -> "ImportGraph":
    import grimp

    return grimp.build_graph(*packages, exclude_type_checking_imports=True, cache_dir=None)


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


def _file(name: str, root: Path) -> Path:
    base = Path(*name.split("."))
    return base.with_suffix(".py") if (root / base.with_suffix(".py")).is_file() else base / "__init__.py"
