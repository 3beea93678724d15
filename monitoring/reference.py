"""What production looks like to the champion when nothing has shifted."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from models.errors import DataError
from monitoring.champion import Champion
from monitoring.rows import frame, typed
from monitoring.simulate import recognition_threshold, serve
from pipeline.config import Params
from pipeline.layout import Paths

_EPOCH = datetime.fromtimestamp(0, UTC)  # reference rows have no time of their own


def reference(params: Params, paths: Paths, champion: Champion) -> pd.DataFrame:
    """The table that a window of the production log is compared with; columns of `LogRow`.

    Unshifted portraits of the held-out splits, damaged with fresh masks in the mix that training draws (even, until
    a cycle started by drift moved it: what the model was trained for is no drift), pass through the very code that
    serves and logs requests. Both held-out splits, because a dozen identities alone would make every other sample of
    people look like drift. Made once for a champion, its thresholds and data, then kept in state/reference/.

    Raises:
        DataError: ingest or evaluate has not run, or the stored table cannot be read.
    """
    path = reference_path(params, paths, champion)
    if not path.is_file():
        _store(_measured(params, paths, champion), path)
    try:
        return typed(pd.read_parquet(path))
    except (OSError, ValueError, KeyError) as error:
        raise DataError("a table of reference rows", f"{path.name}: {error}", f"delete {path}") from error


def _measured(params: Params, paths: Paths, champion: Champion) -> pd.DataFrame:
    settings = {"shift": "none", "requests": params.watch.reference.requests, "seed": params.watch.reference.seed}
    traffic = params.simulate.model_copy(update=settings)
    batches = serve(params, paths, champion, traffic, params.masks, clock=lambda: _EPOCH, run="reference")
    return frame(row for batch in batches for row in batch)


def _store(table: pd.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    table.to_parquet(temporary)
    temporary.replace(path)


def reference_path(params: Params, paths: Paths, champion: Champion) -> Path:
    """Where the table lies: named after the weights and a digest of all else it depends on, so never stale."""
    from pipeline.tables import read_portraits

    rows = read_portraits(paths)
    sections = {
        "masks": params.masks.model_dump(),
        "restore": params.restore.model_dump(),
        "reference": params.watch.reference.model_dump(),
        "known_originals": params.simulate.known_originals,
        "threshold": recognition_threshold(paths),
        "portraits": sorted(rows["portrait_id"] + rows["split"]),
    }
    digest = hashlib.sha256(json.dumps(sections, sort_keys=True).encode())
    weights = hashlib.sha256(champion.weights.read_bytes()).hexdigest()
    return paths.state / "reference" / f"{weights[:16]}-{digest.hexdigest()[:16]}.parquet"
