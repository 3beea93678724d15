"""Find calls in source that would run what a file names: pickles, and what reads or makes them."""

import ast
from collections.abc import Iterator
from pathlib import Path

ADMITTED = frozenset({"models/metrics/lpips.py"})
"""Reads a package's file, verified by its digest, by an unpickler that knows three names of numpy."""
_MODULES = frozenset(
    {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "jsonpickle"}
)
_RUNNING = frozenset({"eval", "exec", "compile"})
_YAML = frozenset({"unsafe_load", "full_load", "load_all", "unsafe_load_all"})
_PICKLED = frozenset({"read_pickle", "to_pickle"})


def offences(file: Path, name: str) -> Iterator[str]:
    """Name each offence of a file by its line; `name` is how it is called, relative to the project."""
    tree = ast.parse(file.read_text(encoding="utf-8"), name)
    for node in ast.walk(tree):
        reason = _import(node) or (_call(node) if isinstance(node, ast.Call) else "")
        if reason and not (reason.startswith("import of pickle") and name in ADMITTED):
            yield f"{name}:{getattr(node, 'lineno', 0)}: {reason}"


def offences_below(root: Path, packages: tuple[str, ...]) -> list[str]:
    """Name those of all files of some packages."""
    files = [file for package in packages for file in sorted((root / package).rglob("*.py"))]
    return [found for file in files for found in offences(file, file.relative_to(root).as_posix())]


def _import(node: ast.AST) -> str:
    names = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        names = [node.module or ""]
    found = sorted({name.partition(".")[0] for name in names} & _MODULES)
    return f"import of {found[0]}" if found else ""


def _call(node: ast.Call) -> str:
    called = ast.unparse(node.func)
    last = called.rpartition(".")[2]
    given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
    if called == "torch.load" and given.get("weights_only") != "True":
        return "torch.load without weights_only=True"
    if called in {"np.load", "numpy.load"} and given.get("allow_pickle", "False") != "False":
        return "np.load of pickles"
    if last in {"load_from_checkpoint", "fit"} and given.get("weights_only", "True") != "True":
        return f"{last} of a checkpoint that may be a pickle"
    if last in _PICKLED or (called.startswith("yaml.") and last in _YAML):
        return f"{called} runs what a file names"
    return f"a call of {called}" if called in _RUNNING else ""
