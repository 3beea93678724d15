"""Keep in the DVC cache that all cycles share only what some checkout uses."""

import subprocess
import sys
from pathlib import Path

from models.errors import LikenessError
from pipeline.project.child_processes import end_children_at_exit
from pipeline.project.paths import Paths
from pipeline.workspaces.cycle_checkouts import share_own_cache
from pipeline.workspaces.dvc import environment


def collect_garbage(paths: Paths) -> int:
    """Delete from state/dvc-cache what no checkout in state/cycles uses; call it under the cycle's lock.

    So the cache does not grow with the number of cycles. Where no cycle has finished a stage, all stays: nothing says
    what is in use.

    Returns:
        Bytes freed.

    Raises:
        LikenessError: DVC's own last words.
    """
    cache = paths.home.state / "dvc-cache"
    used = sorted(lock.parent for lock in paths.home.cycles.glob("[!.]*/dvc.lock"))
    if not used or not cache.is_dir():
        return 0
    share_own_cache(paths)  # or that of another state would be emptied
    before = _bytes(cache)
    end_children_at_exit()
    command = [sys.executable, "-m", "dvc", "gc", "--workspace", "--force", "--quiet"]
    others = ["--projects", *map(str, used[:-1])] if used[1:] else []
    done = subprocess.run(  # noqa: S603 - our own command
        [*command, *others], cwd=used[-1], env=environment(), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        words = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise LikenessError("`dvc gc` to empty the cycles' cache", words, f"see `dvc gc --workspace` in {used[-1]}")
    return before - _bytes(cache)


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
