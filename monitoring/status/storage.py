"""What is free on the disks that requests are written to."""

from monitoring.status.model import Storage
from pipeline.config.load import Params
from pipeline.consent.records import written_folders
from pipeline.project.paths import Paths
from pipeline.project.storage import FULL_BYTES, free_bytes

_MEBIBYTE = 2**20


def storage_state(params: Params, paths: Paths, *, full: bool = False) -> Storage:
    """Measure what is free on the fullest disk; `full`: a write has failed, whatever seems to be free."""
    free = min(free_bytes(folder) for folder in written_folders(paths, params.keep))
    return Storage(
        free_mebibytes=round(free / _MEBIBYTE, 1),
        low=free < params.operate.min_free_mebibytes * _MEBIBYTE,
        full=full or free < FULL_BYTES,
    )
