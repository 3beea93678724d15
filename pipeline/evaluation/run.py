"""Run methods over the test set, batch by batch, and turn their scores into a report."""

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from models.errors import DataError
from models.evidence.evidence import Damaged
from pipeline.config.evaluation import EvaluateParams
from pipeline.engine.in_process import HERE
from pipeline.engine.interface import Engine, Shard, cut
from pipeline.evaluation.aggregate import bucket_of, compare, tabulate
from pipeline.evaluation.baselines import Method
from pipeline.evaluation.bench import CHALLENGER, Bench, Load, loaded
from pipeline.evaluation.id_fid import id_fids, with_id_fid
from pipeline.evaluation.results import EvaluateReport, summarise
from pipeline.evaluation.scoring import Targets, embed_targets, gather_targets, recognise, score
from pipeline.evaluation.test_set import Case, damaged_batch, point_batch, target_batch

_log = logging.getLogger(__name__)

Places = tuple[int, ...]
"""Cases of a batch, by their places among all."""


@dataclass(frozen=True)
class Measured:
    """What came of a batch: a row per case and method, and embeddings (N, dim) of the independent encoder by method."""

    rows: pd.DataFrame
    embeddings: dict[str, npt.NDArray[np.float32]]
    cases: int


def evaluate_methods(
    load: Load, params: EvaluateParams, rows_file: Path, versions: Mapping[str, str], engine: Engine = HERE
) -> EvaluateReport:
    """Measure every method on every case.

    Args:
        load: gives what is measured and by what, here and in every process of the engine.
        params: section `evaluate`.
        rows_file: where one row per mask and method is written, a row group per batch.
        versions: what is measured, for the report.
        engine: works on shards of whole batches, so that every batch is the same on all engines.

    Raises:
        DataError: no case, or fewer than two identities.
        WorkerLost: see `Engine.map_shards`.
    """
    bench = loaded(load)
    if not bench.cases:
        raise DataError("evaluation cases", "none", "run the stages ingest and masks first")
    targets = _embed_targets(load, bench, params, engine)
    embeddings = _write_rows(load, bench, targets, params, rows_file, engine)
    rows = pd.read_parquet(rows_file)
    fids = id_fids(embeddings, targets, params.seed)
    tables = with_id_fid(tabulate(rows, "bucket", params.bootstrap, params.seed), fids)
    ratios = compare(rows, CHALLENGER, params.bootstrap, params.seed)
    return EvaluateReport(
        portraits=len(targets.index),
        identities=len(set(targets.identities)),
        masks=len(bench.cases),
        versions=dict(versions),
        encoders={role: encoder.name for role, encoder in bench.judges.encoders.items()},
        thresholds=dict(targets.thresholds),
        methods=tables,
        missing=tabulate(rows, "missing_bucket", params.bootstrap, params.seed),
        ratios=ratios,
        id_fid=fids,
        latency_ms={
            name: latency(method, bench.cases[0], bench.judges.device, params.latency_runs)
            for name, method in bench.methods.items()
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


@dataclass(frozen=True)
class TargetEmbedder:
    """Embeds intact portraits; an item is a batch, as places of cases."""

    load: Load
    batch_size: int

    def __call__(self, shard: Shard[Places]) -> Targets:
        """Embed the portraits of a shard."""
        bench = loaded(self.load)
        cases = [bench.cases[place] for batch in shard.items for place in batch]
        return embed_targets(cases, bench.judges, self.batch_size)


@dataclass(frozen=True)
class Measurer:
    """Measures all methods on batches of cases; with each batch come the embeddings of its intact portraits."""

    load: Load
    params: EvaluateParams

    def __call__(self, shard: Shard[tuple[Places, Targets]]) -> list[Measured]:
        """Measure the batches of a shard."""
        bench = loaded(self.load)
        return [_measure_batch(bench, [bench.cases[i] for i in places], t, self.params) for places, t in shard.items]


def _embed_targets(load: Load, bench: Bench, params: EvaluateParams, engine: Engine) -> Targets:
    first_places = {name: place for place, name in reversed(list(enumerate(bench.portrait_ids)))}
    places = sorted(first_places.values())
    size = params.batch_size
    batches = [tuple(places[start : start + size]) for start in range(0, len(places), size)]
    shards = cut("evaluate, intact portraits", batches, _batches_in_a_shard(params, engine))
    parts = engine.map_shards(TargetEmbedder(load, size), shards)
    return gather_targets(parts, params.recognition_false_match_rate)


def _batches_in_a_shard(params: EvaluateParams, engine: Engine) -> int:
    return max(1, engine.shard_rows // params.batch_size)


def _write_rows(
    load: Load, bench: Bench, targets: Targets, params: EvaluateParams, rows_file: Path, engine: Engine
) -> dict[str, Tensor]:
    """Write the rows; returns embeddings (N, dim) of the independent encoder by method, the only thing kept."""
    kept: dict[str, list[Tensor]] = {name: [] for name in bench.methods}
    shards = cut("evaluate", _with_targets(bench, targets, params.batch_size), _batches_in_a_shard(params, engine))
    writer: pq.ParquetWriter | None = None
    try:
        for measured in _logged(engine.map_shards(Measurer(load, params), shards), len(bench.cases)):
            table = pa.Table.from_pandas(measured.rows, preserve_index=False)
            writer = writer or pq.ParquetWriter(rows_file, table.schema)
            writer.write_table(table)
            for name, embeddings in measured.embeddings.items():
                kept[name].append(torch.from_numpy(embeddings))
    finally:
        if writer is not None:
            writer.close()
    return {name: torch.cat(parts) for name, parts in kept.items()}


def _with_targets(bench: Bench, targets: Targets, size: int) -> Iterator[tuple[Places, Targets]]:
    """Yield the batches of cases, each with what it is compared with."""
    for start in range(0, len(bench.cases), size):
        places = tuple(range(start, min(start + size, len(bench.cases))))
        yield places, targets.only(bench.portrait_ids[place] for place in places)


def _measure_batch(bench: Bench, batch: list[Case], targets: Targets, params: EvaluateParams) -> Measured:
    judges = bench.judges
    damaged, target = damaged_batch(batch, judges.device), target_batch(batch, judges.device)
    points = point_batch(batch, judges.device)
    for face_model in bench.face_models:
        damaged.evidence(face_model)
    known, frames, independent = _known_columns(batch, params), [], {}
    for name, method in bench.methods.items():
        restored, milliseconds = timed(method, damaged)
        embeddings = judges.embed(restored, points)
        columns = known | {"method": name, "milliseconds": milliseconds / len(batch)}
        columns |= score(restored, target, damaged, judges.perceptual) | recognise(embeddings, batch, targets)
        frames.append(pd.DataFrame(columns))
        independent[name] = embeddings["independent"].numpy()
    return Measured(pd.concat(frames), independent, len(batch))


def _known_columns(batch: list[Case], params: EvaluateParams) -> dict[str, Any]:
    """List what is known of the cases before anything is restored."""
    names = ("mask_id", "portrait_id", "identity", "kind", "bucket", "coverage", "missing_features")
    columns: dict[str, Any] = {name: [getattr(case, name) for case in batch] for name in names}
    return columns | {"missing_bucket": [bucket_of(case.missing_features, params.missing_buckets) for case in batch]}


def _logged(parts: Iterator[list[Measured]], total: int) -> Iterator[Measured]:
    done = 0
    for part in parts:
        yield from part
        done += sum(measured.cases for measured in part)
        _log.info("evaluate: %d of %d damaged portraits", done, total)
