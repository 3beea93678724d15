"""What all engines with workers of their own share: how far they go ahead, and what they say of a lost shard."""

from typing import Any

from models.errors import WorkerLost
from pipeline.engine.interface import Shard

AHEAD = 2
"""Shards per worker that are begun and not yet yielded: none is idle, and the results that wait are few."""


def lost(shard: Shard[Any], times: int) -> WorkerLost:
    """Make the error that names a shard whose workers died."""
    return WorkerLost(
        f"a worker that finishes {shard}",
        f"{times} that died on it",
        "look in the kernel's log for a lack of memory, then lower engine.workers or engine.shard_rows",
    )
