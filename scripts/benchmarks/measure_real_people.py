"""Measure face model and refiners on people whom they have not seen, each source apart, real people first.

`python -m scripts.benchmarks.measure_real_people --portraits DIR --split test --refiner assets/restorer.safetensors`;
`--open` puts the open edition beside it, on the same damage and by the same judges.
Three masks a person by the rules of the evaluation, predicted landmarks, aligned faces as ingest makes them. Evidence,
and the scores of what has been measured, are kept in `--work`: a further refiner costs its network and its scores.
Deterministic: masks and bootstrap are seeded.
"""

import argparse
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from models.assets import OPEN, RESEARCH, Edition
from models.evidence.evidence import Damaged, Evidence, compose, gather
from models.face.landmark_network import LANDMARK_NETWORKS
from models.face_model.shape_and_appearance import ShapedFaceModel, built_face_model
from models.face_model.stored import FACE_MODEL, StoredFaceModel
from models.images import Image, mask_to_tensor, to_tensor
from models.load import load_restorer
from models.objective import Target
from models.restorer_file import load_face_model
from models.weight_files import weights_sha256
from pipeline.config.load import load_params
from pipeline.damage.draw import apply
from pipeline.damage.sampler import DamageSampler
from pipeline.evaluation.bootstrap import Bootstrap, Floats
from pipeline.evaluation.scoring import ROLES, Judges, score
from pipeline.portraits.read import landmarks_of, load_image, points_of
from pipeline.project.paths import Paths
from pipeline.project.process import quieten
from pipeline.registry.weights import shipped_weights
from scripts.assets.refiner.people import SOURCES, gather_people, people_of
from scripts.assets.refiner.records import Records, from_records, open_records, save_records, to_records
from scripts.one_thread import use_one_thread

MASKS_A_PERSON, BATCH, RESAMPLES, SEED = 3, 16, 2000, 17
HARDEST = "0.4-0.5"
COLUMNS = {"distance_independent": "identity (dlib)", "distance_training": "identity (SFace)", "lpips": "LPIPS"}
PSNR = "psnr_hole"
TELEA, ALONE, OPENLY = "Telea", "face model", "open edition"
CPU = torch.device("cpu")
Propose = Callable[[Evidence], Tensor]

log = logging.getLogger(__name__)


def main() -> None:
    """Ingest, damage, gather evidence, restore and judge; print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True, help="folder of folders of portraits")
    parser.add_argument("--split", choices=["validation", "test"], default="test")
    parser.add_argument("--sources", nargs="+", choices=SOURCES, default=SOURCES)
    parser.add_argument("--people", type=int, default=250, help="at most so many of a source, evenly by name")
    parser.add_argument("--face-model", type=Path, default=FACE_MODEL)
    parser.add_argument("--refiner", type=Path, nargs="*", default=(), help="weights of networks of any kind")
    parser.add_argument("--true-landmarks", action="store_true", help="what the face model would do if it knew them")
    parser.add_argument("--open", action="store_true", help="measure the open edition as well")
    parser.add_argument("--against", default=ALONE, help="method that refiners are compared with beside Telea")
    parser.add_argument("--ingested", type=Path, default=Path("build/people"), help="workspace of the portraits")
    parser.add_argument("--work", type=Path, default=Path("build/real-people"))
    arguments = parser.parse_args()
    quieten()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    use_one_thread()
    paths = gather_people(arguments.portraits.resolve(), None, arguments.ingested)
    for source in arguments.sources:
        study = Study(
            paths, source, arguments.split, arguments.people, arguments.face_model, arguments.work,
            arguments.true_landmarks,
        )  # fmt: skip
        rows = {name: study.scored(name, propose) for name, propose in methods(arguments.refiner).items()}
        if arguments.open:
            openly = replace(study, face_model=shipped_weights(OPEN), edition=OPEN)
            rows[OPENLY] = openly.scored(ALONE, lambda evidence: evidence.completion)
        print("\n".join(report(source, rows, arguments.against)), flush=True)


def methods(refiners: list[Path]) -> dict[str, Propose]:
    """List what is measured, by name: Telea, the face model alone, and each refiner on it."""
    return {TELEA: lambda evidence: evidence.plain, ALONE: lambda evidence: evidence.completion} | {
        f"{path.stem} {weights_sha256(path)[:8]}": load_restorer(path).restore_from for path in refiners
    }


@dataclass(frozen=True)
class Study:
    """People of one source and split with their damage, and a face model that completes them."""

    paths: Paths
    source: str
    split: str
    people: int
    face_model: Path
    work: Path
    true_landmarks: bool = False
    edition: Edition = RESEARCH

    @property
    def folder(self) -> Path:
        """Where evidence and scores are kept: evidence depends on the people, on their face model and landmarks."""
        landmarks = "true" if self.true_landmarks else weights_sha256(LANDMARK_NETWORKS[self.edition])[:12]
        people = f"{self.split}-{self.source}-{self.people}"
        return self.work / f"{weights_sha256(self.face_model)[:12]}-{landmarks}" / people

    def records(self) -> Records:
        """Give the evidence of all cases, gathered at the first call."""
        file = self.folder / "evidence.npy"
        if not file.is_file():
            self._gather(file)
        return open_records(file)

    def cases(self) -> pd.DataFrame:
        """List the cases in order of the records: identity and coverage bucket."""
        return pd.read_parquet(self.folder / "cases.parquet")

    def scored(self, name: str, propose: Propose) -> pd.DataFrame:
        """Give one row per case: identity distances, LPIPS, PSNR in the hole; measured at the first call."""
        records, file = self.records(), self.folder / f"{name}.parquet"
        if not file.is_file():
            measured = [_measure(records[n : n + BATCH], propose) for n in range(0, len(records), BATCH)]
            pd.concat(measured, ignore_index=True).to_parquet(file)
        return pd.concat([self.cases(), pd.read_parquet(file)], axis=1)

    def _model(self) -> ShapedFaceModel:
        if self.edition == OPEN:
            return load_face_model(self.face_model)
        return built_face_model(StoredFaceModel.load(self.face_model))

    def _gather(self, file: Path) -> None:
        rows = people_of(self.paths, self.split)
        rows = rows[rows["folder"] == self.source].reset_index(drop=True)
        chosen = np.unique(np.linspace(0, len(rows) - 1, min(self.people, len(rows))).round().astype(int))
        parts: list[Records] = []
        model, cases = self._model(), []
        sampler = DamageSampler(load_params(Path("params.yaml")).masks, training=False)
        rng = np.random.default_rng(SEED)
        for number, (_, row) in enumerate(rows.iloc[chosen].iterrows()):
            image = load_image(self.paths, row["portrait_id"])
            for _ in range(MASKS_A_PERSON):
                damaged, bucket = damage(sampler, rng, image, row)
                known = [model.landmarker.predict_aligned(image)] if self.true_landmarks else None
                completion = model.complete(damaged.image, damaged.hole_mask, damaged.chroma_mask, known)
                target = Target(to_tensor(image), torch.tensor(points_of(row))[None])
                parts.append(to_records((gather(damaged, model, completion), target)))
                cases.append({"identity": row["identity"], "bucket": bucket})
            if number % 20 == 0:
                log.info("%s: evidence of %d of %d people", self.source, number, len(chosen))
        save_records(np.concatenate(parts), file)
        pd.DataFrame(cases).to_parquet(self.folder / "cases.parquet")


def damage(sampler: DamageSampler, rng: np.random.Generator, image: Image, row: pd.Series) -> tuple[Damaged, str]:
    """Damage one aligned portrait: a batch of one, and the name of its coverage bucket."""
    drawn, record = sampler.sample(rng, landmarks_of(row), image.shape[0])
    batch = Damaged(
        image=to_tensor(apply(image, drawn)),
        hole_mask=mask_to_tensor(drawn.hole),
        chroma_mask=mask_to_tensor(drawn.chroma),
        coverage=torch.tensor([record.coverage]),
        missing_features=torch.tensor([record.missing_features]),
    )
    return batch, record.bucket


def psnr_in_hole(restored: Tensor, target: Tensor, missing: Tensor) -> Floats:
    """Compute the peak signal-to-noise ratio of what was missing, (N,) decibels; NaN where nothing was.

    Args:
        restored: (N, 3, S, S) in [-1, 1].
        target: the same.
        missing: (N, 1, S, S), 1 = anything of the pixel is missing.
    """
    error = ((restored - target).square() * missing).sum((1, 2, 3)) / (3 * missing.sum((1, 2, 3)))
    return np.asarray((10 * torch.log10(4 / error.clamp_min(1e-10))).double().numpy())


@torch.inference_mode()
def _measure(records: Records, propose: Propose) -> pd.DataFrame:
    evidence, target = from_records(records)
    restored = compose(evidence.damaged, propose(evidence))
    judges = Judges.load(CPU, load_params(Path("params.yaml")).identity)
    embedded, own = judges.embed(restored, target.points), judges.embed(target.image, target.points)
    columns = {f"distance_{role}": 1 - (embedded[role] * own[role]).sum(1).numpy() for role in ROLES}
    columns["lpips"] = score(restored, target.image, evidence.damaged, judges.perceptual)["lpips"]
    columns[PSNR] = psnr_in_hole(restored, target.image, evidence.damaged.chroma_mask)
    return pd.DataFrame(columns)


def report(source: str, rows: Mapping[str, pd.DataFrame], against: str) -> list[str]:
    """Tabulate a source: means, ratios to Telea and to another method with paired 95 % intervals over people."""
    first = rows[TELEA]
    lines = ["", f"**{source}**: {first['identity'].nunique()} people, {len(first)} damaged portraits"]
    for bucket in ("all", HARDEST):
        chosen = {name: part if bucket == "all" else part[part["bucket"] == bucket] for name, part in rows.items()}
        lines += ["", *_table(bucket, chosen, against)]
    return lines


def _table(bucket: str, rows: Mapping[str, pd.DataFrame], against: str) -> list[str]:
    shown = [*COLUMNS.values(), "PSNR in the hole, dB"]
    lines = [
        f"| coverage {bucket}, n = {len(rows[TELEA])} | " + " | ".join(shown) + " |",
        "|---" * (len(shown) + 1) + "|",
    ]
    bootstrap = Bootstrap(list(rows[TELEA]["identity"]), RESAMPLES, np.random.default_rng(SEED))
    values = {name: part[list(COLUMNS)].to_numpy(np.float64) for name, part in rows.items()}
    for name, own in values.items():
        cells = [f"{mean:.4f}" for mean in own.mean(axis=0)]
        for base in (TELEA, against):
            if name not in (TELEA, base):
                ratios = bootstrap.ratios(own, values[base])
                cells = [
                    f"{c}; / {base} {r.value:.3f} [{r.low:.3f}, {r.high:.3f}]"
                    for c, r in zip(cells, ratios, strict=True)
                ]
        lines.append(f"| {name} | " + " | ".join([*cells, f"{rows[name][PSNR].mean():.2f}"]) + " |")
    return lines


if __name__ == "__main__":
    main()
