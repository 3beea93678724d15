"""`python -m pipeline STAGE`: one stage in the current folder, as DVC calls it."""

import logging
import sys
from contextlib import suppress
from pathlib import Path

from models.errors import LikenessError, ServiceUnavailable
from pipeline.project.paths import Paths
from pipeline.project.process import USAGE, collect_seldom, exit_status, quieten
from pipeline.project.storage import full_disk_in_words, refusals_in_words
from pipeline.stages import STAGES, run_stage


def main(arguments: list[str]) -> int:
    """Run the stage named on the command line; one line per error, exit status 1, or 75 where trying again may help."""
    if len(arguments) != 1 or arguments[0] not in STAGES:
        print(f"usage: python -m pipeline {{{'|'.join(STAGES)}}}", file=sys.stderr)
        return USAGE
    collect_seldom()
    quieten()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        with full_disk_in_words(f"the outputs of the stage {arguments[0]}"), refusals_in_words():
            run_stage(arguments[0], Path.cwd())
    except LikenessError as error:
        print(f"{arguments[0]}: {error}", file=sys.stderr)
        _mark_failed()
        return exit_status(error)
    return 0


def _mark_failed() -> None:
    """Mark the run that a stage by hand has opened as FAILED, if MLflow answers."""
    from pipeline.registry.tracking import end_run_by_hand

    with suppress(ServiceUnavailable):
        end_run_by_hand(Paths(Path.cwd()), "FAILED")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
