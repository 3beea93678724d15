"""Make the baseline: unshifted traffic through the champion."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from models.errors import DataError
from models.face_networks.insightface_pack import short_name
from monitoring.champion import Champion
from monitoring.drift.detect import Traffic
from monitoring.drift.identity_space import IdentityAggregate, IdentityWindow
from monitoring.log.rows import frame, set_types
from monitoring.simulation.simulate import serve
from pipeline.config.load import Params
from pipeline.evaluation.threshold import read_recognition_threshold
from pipeline.project.files import write_text
from pipeline.project.paths import Paths

_EPOCH = datetime.fromtimestamp(0, UTC)  # reference rows have no time of their own


def prepare_baseline(params: Params, paths: Paths, champion: Champion) -> Traffic:
    """Load what production is compared with: rows, and the aggregate of their faces; make it on first use.

    Unshifted portraits as `simulate.fresh_people` says, damaged with fresh masks in the mix that training draws (even,
    until a cycle started by drift moved it: what the model was trained for is no drift), pass through the very code
    that serves and logs requests. Where held-out portraits are few they come again and again, here and in simulated
    traffic alike: that makes the two more alike than chance would, and the watch calmer, never wilder. Restored once
    for a version and the parameters that change a row, then kept in state/reference/: another evaluation moves the
    threshold of recognition, which is applied to the kept rows, and restores nothing.

    Raises:
        DataError: ingest or evaluate has not run, or the stored table cannot be read.
    """
    path = reference_path(params, paths, champion)
    if not path.is_file():
        _store(_measured(params, paths, champion), path)
    try:
        rows = set_types(pd.read_parquet(path))
        return Traffic(_recognise(rows, read_recognition_threshold(paths, params.identity)), _stored_faces(path))
    except (OSError, ValueError, KeyError) as error:
        raise DataError("a table of reference rows", f"{path.name}: {error}", f"delete {path}") from error


def _measured(params: Params, paths: Paths, champion: Champion) -> Traffic:
    settings = {"shift": "none", "requests": params.watch.reference.requests, "seed": params.watch.reference.seed}
    traffic = params.simulate.model_copy(update=settings)
    faces = IdentityWindow(params.watch.identity, champion.version, short_name(params.identity.training))
    batches = serve(
        params, paths, champion, traffic, params.masks, clock=lambda: _EPOCH, run="reference", observe=faces.add
    )
    return Traffic(frame(row for batch in batches for row in batch), faces.flush_if_ready())


def _recognise(rows: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """Set anew who counts as recognised, where that is known: similarity to the original, at least `threshold`."""
    similarity = rows["similarity_independent"].astype("float64")
    recognised = (similarity >= threshold).astype("boolean").mask(similarity.isna())
    return rows.assign(recognised=recognised.astype(rows["recognised"].dtype))


def _store(traffic: Traffic, path: Path) -> None:
    """Write the faces, then the table: where the table exists, the faces do too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if traffic.identity is not None:
        write_text(_faces(path), traffic.identity.model_dump_json())
    temporary = path.with_suffix(".tmp")
    traffic.rows.to_parquet(temporary)
    temporary.replace(path)


def _stored_faces(path: Path) -> IdentityAggregate | None:
    file = _faces(path)
    return IdentityAggregate.model_validate_json(file.read_text(encoding="utf-8")) if file.is_file() else None


def _faces(path: Path) -> Path:
    return path.with_suffix(".identity.json")


def reference_path(params: Params, paths: Paths, champion: Champion) -> Path:
    """Build the table's path, named after the weights and a digest of all parameters that its rows depend on."""
    sections = {
        "masks": params.masks.model_dump(),
        "restore": params.restore.model_dump(),
        "reference": params.watch.reference.model_dump(),
        "identity": params.watch.identity.model_dump(),
        "encoders": params.identity.model_dump(),
        "people": params.simulate.model_dump(include={"known_originals", "fresh_people"}),
        "portraits": _portraits(params, paths),
    }
    digest = hashlib.sha256(json.dumps(sections, sort_keys=True).encode())
    weights = hashlib.sha256(champion.weights.read_bytes()).hexdigest()
    return paths.state / "reference" / f"{weights[:16]}-{digest.hexdigest()[:16]}.parquet"


def _portraits(params: Params, paths: Paths) -> list[str]:
    """List whose portraits the baseline is made of; none where its people come fresh from the sampler."""
    from pipeline.portraits.read import read_portraits

    if params.simulate.fresh_people and params.data.source == "sampler":
        return []
    rows = read_portraits(paths)
    return sorted(rows["portrait_id"] + rows["split"])
