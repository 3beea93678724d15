"""Give a workspace a git history of its own, which DVC's experiments need.

It begins with the files that were copied; what a person changes there is theirs to commit. Cycles do not run at its
revisions but at those of the checkout that Likeness is installed from, as in every workspace.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from models.errors import DataError

_MARK = "likeness.workspace"
_COMMITTER = ("-c", "user.name=Likeness", "-c", "user.email=likeness@localhost", "-c", "commit.gpgsign=false")


def is_workspace(folder: Path) -> bool:
    """Tell whether a folder's git history was begun by `begin_history`."""
    return _git(folder, "config", "--local", "--get", _MARK, check=False) == "true"


def begin_history(workspace: Path) -> None:
    """Make the folder a git repository, unless it is one, and let `.venv` lead to this Python's environment.

    In a history that is there already, what was changed in tracked files is committed, so that new code and parameters
    overwrite nothing.

    Raises:
        DataError: git is missing or refuses.
    """
    workspace.mkdir(parents=True, exist_ok=True)
    if (workspace / ".git").exists():
        _git(workspace, "add", "--update")
        _commit(workspace, "Changes made in this workspace")
        return
    _git(workspace, "init", "--quiet")
    _git(workspace, "config", "--local", _MARK, "true")
    environment = workspace / ".venv"
    if sys.prefix != sys.base_prefix and not environment.is_symlink() and not environment.exists():
        environment.symlink_to(sys.prefix, target_is_directory=True)
    exclude = workspace / ".git" / "info" / "exclude"
    exclude.parent.mkdir(exist_ok=True)
    with exclude.open("a", encoding="utf-8") as stream:
        stream.write("/.venv\n")  # .gitignore means folders only


def commit_files(workspace: Path, files: Sequence[Path], source: Path) -> None:
    """Commit files that came from the checkout `source`, paths relative to both; its revision is in the message.

    Raises:
        DataError: git refuses.
    """
    _git(workspace, "add", "--force", "--pathspec-from-file=-", given="\n".join(map(str, files)))
    revision = _git(source, "rev-parse", "--short", "HEAD", check=False)
    _commit(workspace, f"Files of {source.resolve().name}{f' at {revision}' if revision else ''}")


def _commit(workspace: Path, message: str) -> None:
    """Commit what is staged, if anything is."""
    if _git(workspace, "diff", "--cached", "--name-only"):
        _git(workspace, *_COMMITTER, "commit", "--quiet", "--no-verify", "--message", message)


def _git(folder: Path, *arguments: str, given: str = "", check: bool = True) -> str:
    """Run git in a folder; what it printed, nothing where it fails and `check` is off."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)  # noqa: S603 - git of the user, no shell
    except FileNotFoundError as error:
        raise DataError("git", "none", "install git") from error
    if check and done.returncode != 0:
        words = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise DataError(f"`git {arguments[0]}` to succeed in {folder}", words, "see `git status` there")
    return done.stdout.strip() if done.returncode == 0 else ""
