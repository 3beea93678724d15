"""Run methods over the test set, batch by batch, and turn their scores into a report."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from models.errors import DataError
from models.evidence.evidence import Damaged
from models.face_model.shape_and_appearance import ShapedFaceModel
from pipeline.config.evaluation import EvaluateParams
from pipeline.evaluation.aggregate import bucket_of, compare, tabulate
from pipeline.evaluation.baselines import Method
from pipeline.evaluation.id_fid import id_fids, with_id_fid
from pipeline.evaluation.results import EvaluateReport, summarise
from pipeline.evaluation.scoring import Judges, Role, Targets, embed_targets, recognise, score
from pipeline.evaluation.test_set import Case, batches, damaged_batch, point_batch, target_batch

CHALLENGER = "challenger"

_log = logging.getLogger(__name__)


def evaluate_methods(
    methods: Mapping[str, Method],
    cases: Sequence[Case],
    judges: Judges,
    params: EvaluateParams,
    rows_file: Path,
    versions: Mapping[str, str],
    face_models: Sequence[ShapedFaceModel] = (),
) -> EvaluateReport:
    """Measure every method on every case.

    Args:
        methods: by name; one of them is `challenger`.
        cases: the frozen set; pictures are held one batch at a time.
        judges: encoders and LPIPS.
        params: section `evaluate`.
        rows_file: where one row per mask and method is written, a row group per batch.
        versions: what is measured, for the report.
        face_models: of the methods; each gathers evidence before a method's time is taken.

    Raises:
        DataError: no case, or fewer than two identities.
    """
    if not cases:
        raise DataError("evaluation cases", "none", "run the stages ingest and masks first")
    targets = embed_targets(cases, judges, params.batch_size, params.recognition_false_match_rate)
    embeddings = _write_rows(methods, cases, judges, targets, params, rows_file, face_models)
    rows = pd.read_parquet(rows_file)
    fids = id_fids(embeddings, targets, params.seed)
    tables = with_id_fid(tabulate(rows, "bucket", params.bootstrap, params.seed), fids)
    ratios = compare(rows, CHALLENGER, params.bootstrap, params.seed)
    return EvaluateReport(
        portraits=len(targets.index),
        identities=len(set(targets.identities)),
        masks=len(cases),
        versions=dict(versions),
        encoders={role: encoder.name for role, encoder in judges.encoders.items()},
        thresholds=dict(targets.thresholds),
        methods=tables,
        missing=tabulate(rows, "missing_bucket", params.bootstrap, params.seed),
        ratios=ratios,
        id_fid=fids,
        latency_ms={
            name: latency(method, cases[0], judges.device, params.latency_runs) for name, method in methods.items()
        },
        summary=summarise(tables, ratios),
    )


def latency(method: Method, case: Case, device: torch.device, runs: int) -> float:
    """Measure the median time in milliseconds to restore one picture alone, after one run to warm up."""
    damaged = damaged_batch([case], device)
    times = [timed(method, replace(damaged))[1] for _ in range(runs + 1)]  # a copy has no evidence yet
    return median(times[1:])


def timed(method: Method, damaged: Damaged) -> tuple[Tensor, float]:
    """Restore by a method, and measure the milliseconds it took."""
    begin = time.perf_counter()
    restored = method(damaged)
    if restored.is_cuda:  # the GPU works on after the call returns
        torch.cuda.synchronize(restored.device)
    return restored, (time.perf_counter() - begin) * 1000.0


def _write_rows(
    methods: Mapping[str, Method],
    cases: Sequence[Case],
    judges: Judges,
    targets: Targets,
    params: EvaluateParams,
    rows_file: Path,
    face_models: Sequence[ShapedFaceModel],
) -> dict[str, Tensor]:
    """Write the rows; returns embeddings (N, dim) of the independent encoder by method, the only thing kept."""
    embeddings_by_method: dict[str, list[Tensor]] = {name: [] for name in methods}
    writer: pq.ParquetWriter | None = None
    try:
        for batch in _logged(batches(cases, params.batch_size), len(cases)):
            frames = []
            for name, frame, embeddings in _measure_batch(methods, batch, judges, targets, params, face_models):
                embeddings_by_method[name].append(embeddings["independent"])
                frames.append(frame)
            table = pa.Table.from_pandas(pd.concat(frames), preserve_index=False)
            writer = writer or pq.ParquetWriter(rows_file, table.schema)
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()
    return {name: torch.cat(parts) for name, parts in embeddings_by_method.items()}


def _measure_batch(
    methods: Mapping[str, Method],
    batch: list[Case],
    judges: Judges,
    targets: Targets,
    params: EvaluateParams,
    face_models: Sequence[ShapedFaceModel],
) -> Iterator[tuple[str, pd.DataFrame, dict[Role, Tensor]]]:
    damaged, target = damaged_batch(batch, judges.device), target_batch(batch, judges.device)
    points = point_batch(batch, judges.device)
    for face_model in face_models:
        damaged.evidence(face_model)
    known = _known_columns(batch, params)
    for name, method in methods.items():
        restored, milliseconds = timed(method, damaged)
        embeddings = judges.embed(restored, points)
        columns = known | {"method": name, "milliseconds": milliseconds / len(batch)}
        columns |= score(restored, target, damaged, judges.perceptual) | recognise(embeddings, batch, targets)
        yield name, pd.DataFrame(columns), embeddings


def _known_columns(batch: list[Case], params: EvaluateParams) -> dict[str, Any]:
    """List what is known of the cases before anything is restored."""
    names = ("mask_id", "portrait_id", "identity", "kind", "bucket", "coverage", "missing_features")
    columns: dict[str, Any] = {name: [getattr(case, name) for case in batch] for name in names}
    return columns | {"missing_bucket": [bucket_of(case.missing_features, params.missing_buckets) for case in batch]}


def _logged(parts: Iterator[list[Case]], total: int) -> Iterator[list[Case]]:
    done = 0
    for part in parts:
        yield part
        done += len(part)
        _log.info("evaluate: %d of %d damaged portraits", done, total)
