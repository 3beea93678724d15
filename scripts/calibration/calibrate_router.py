"""What the router's figures in params.yaml rest on.

`python -m scripts.calibration.calibrate_router --workspace DIR`.
`--sources ffhq256 congress` takes the people whose identity begins so.
Holes of growing size and single features are restored on the validation portraits of DIR, a workspace after ingest
(`build/weights` of `make weights` is one). Printed: weights of the regions, from the identity distance by the
independent encoder where each alone is missing; up to which identity risk people are recognised; how far a reference
photo counts; and from which similarity it is the person's. Nothing is written.
"""

import argparse
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from scipy.optimize import isotonic_regression, nnls

from models.assets import ASSETS
from models.evidence.evidence import Evidence, gather
from models.evidence.reference_photo import Reference
from models.face.regions import face_hull
from models.images import Image, Mask, to_tensor
from models.kinds import StoredRestorer
from models.load import load_restorer
from models.region_names import REGIONS
from pipeline.ablation.common import Portrait, case_of, embed_intact, portrait_of, portrait_rng
from pipeline.ablation.onset_holes import component_holes, growing_holes
from pipeline.config.load import load_params
from pipeline.evaluation.scoring import Judges, recognition_threshold
from pipeline.evaluation.test_set import Case, batches, damaged_batch, point_batch
from pipeline.portraits.read import read_portraits
from pipeline.project.paths import Paths
from pipeline.project.process import quieten
from restoration.risk import region_map
from scripts.calibration.reference_trust import best_trust, similarity_lines

GROUPS = ("eye", "brow", "nose", "mouth", "skin", "background")
ALONE = {"eye": "both eyes", "brow": "brows", "nose": "nose", "mouth": "mouth"}
"""Kinds of holes that take nothing but one group."""
FACTS = ["kind", "features", "area"]
LEVELS = (0.3, 0.45, 0.6, 0.8)
RECOGNITION = (0.95, 0.90, 0.80)
BATCH, SEED, FALSE_MATCHES = 8, 29, 0.01
VIEWS = 5
"""Photos of each person that references are drawn from."""
SHOWN = 2
"""Of those, damaged and compared with all others."""

Floats = npt.NDArray[np.float64]
log = logging.getLogger(__name__)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=ASSETS / "restorer.safetensors")
    parser.add_argument("--sources", nargs="*", default=(), help="only people whose identity begins with one of these")
    parser.add_argument("--every", type=int, default=1, help="measure each n-th portrait only")
    arguments = parser.parse_args()
    quieten()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    paths = Paths(arguments.workspace.resolve())
    single, several = portraits_of(paths, tuple(arguments.sources))
    params = load_params(paths.params)
    judges = Judges.load(torch.device("cpu"), params.identity)
    restorer = load_restorer(arguments.weights)
    alone = measured(restorer, list(cases(single[:: arguments.every])), judges, single, {})
    weights = fitted_weights(alone)
    for title, of in {"fitted": weights, "of params.yaml": params.restore.risk_weights.model_dump()}.items():
        print(f"weights, {title}:", "\n".join(recognition_lines(alone.assign(risk=risk(alone, of)), of)), sep="\n")
    served = [portraits[0] for portraits in several]
    photos = {portraits[0].portrait_id: portraits[-1].image for portraits in several}
    known = measured(restorer, list(cases(served)), judges, single + served, photos)
    print("\n".join(witness_lines(known, alone, weights)))
    chosen = [case for group in several for portrait in group[:SHOWN] for case in cases([portrait])]
    print("\n".join(similarity_lines(chosen, several, judges.encoders["training"])))


def portraits_of(paths: Paths, sources: tuple[str, ...]) -> tuple[list[Portrait], list[list[Portrait]]]:
    """Validation portraits of people with one photo (of `sources`, if any), and photos of each person with several."""
    rows = read_portraits(paths)
    rows = rows[rows["split"] == "validation"].sort_values("portrait_id")
    people = [
        [portrait_of(paths, row) for _, row in part.head(VIEWS).iterrows()] for _, part in rows.groupby("identity")
    ]
    single = [group[0] for group in people if len(group) == 1]
    wanted = [portrait for portrait in single if not sources or portrait.identity.startswith(sources)]
    return wanted, [group for group in people if len(group) > 1]


def cases(portraits: Sequence[Portrait]) -> Iterator[Case]:
    """Each portrait with growing blotches, single features, halves of the face and the whole face gone."""
    for portrait in portraits:
        side = portrait.image.shape[0]
        grown = growing_holes(portrait.landmarks, side, LEVELS, portrait_rng(portrait, SEED))
        holes = dict(zip((str(level) for level in LEVELS), grown, strict=True))
        for name, hole in (holes | component_holes(portrait.landmarks, side) | _halves(portrait, side)).items():
            yield case_of(portrait, hole, hole, name, name)


def _halves(portrait: Portrait, side: int) -> dict[str, Mask]:
    """The face and its halves, about the middle of the nose."""
    hull = face_hull(portrait.landmarks, side)
    (y, x), (across, down) = np.indices(hull.shape), portrait.landmarks[27:36].mean(axis=0)
    left, upper = x < across, y < down
    sides = {"left half": hull & left, "right half": hull & ~left}
    return sides | {"upper half": hull & upper, "lower half": hull & ~upper, "face": hull}


def measured(
    restorer: StoredRestorer,
    all_cases: Sequence[Case],
    judges: Judges,
    portraits: Sequence[Portrait],
    photos: dict[str, Image],
) -> pd.DataFrame:
    """One row per case: what is missing, prior and witnessed pixels by group, identity distance, recognised or not."""
    intact = embed_intact(portraits, judges, BATCH)
    landmarks = {portrait.portrait_id: portrait.landmarks for portrait in portraits}
    everyone = torch.stack([intact[portrait.portrait_id]["independent"] for portrait in portraits])
    threshold = recognition_threshold(everyone, [portrait.identity for portrait in portraits], FALSE_MATCHES)
    frames = []
    for number, batch in enumerate(batches(all_cases, BATCH)):
        damaged = damaged_batch(batch, judges.device)
        if photos:
            pictures = to_tensor(np.stack([photos[case.portrait_id] for case in batch]))
            damaged = replace(damaged, reference=Reference(pictures, torch.ones(len(batch))))
        evidence = gather(damaged, restorer.face_model)
        embeddings = judges.embed(restorer.restore_from(evidence), point_batch(batch, judges.device))["independent"]
        alike = [float(a @ intact[case.portrait_id]["independent"]) for a, case in zip(embeddings, batch, strict=True)]
        shares = [counted(evidence, i, region_map(landmarks[case.portrait_id], 128)) for i, case in enumerate(batch)]
        facts = pd.DataFrame([(case.kind, case.missing_features, case.hole.mean()) for case in batch], columns=FACTS)
        distance, recognised = 1 - np.array(alike), np.array(alike) >= threshold
        frames.append(facts.join(pd.DataFrame(shares)).assign(distance=distance, recognised=recognised))
        if number % 10 == 0:
            log.info("%d of %d cases", number * BATCH, len(all_cases))
    return pd.concat(frames, ignore_index=True)


def counted(evidence: Evidence, index: int, region: npt.NDArray[np.uint8]) -> dict[str, float]:
    """Sums by group: `all_` of its pixels, `prior_` of their prior shares, `witness_` of those the reference shows."""
    hole = evidence.damaged.hole_mask[index, 0].numpy() > 0.5
    prior = np.sqrt(np.clip(1 - evidence.certainty[index, 0].numpy(), 0, 1)) * hole
    shown = prior * evidence.reference_mask[index, 0].numpy()
    sums: dict[str, float] = {}
    for group in GROUPS:
        where = np.isin(region, [number for number, name in enumerate(REGIONS) if name.endswith(group)])
        for name, plane in (("all_", where), ("prior_", prior * where), ("witness_", shown * where)):
            sums[name + group] = float(plane.sum())
    return sums


def fitted_weights(rows: pd.DataFrame) -> dict[str, float]:
    """Identity distance per pixel of prior, by group; the largest is 1.

    Of a feature: where it alone is missing. (Fitted on all holes at once, eyes and brows, which lie side by side, take
    each other's weight, and take it differently from sample to sample.) Of skin: what all holes together ask for beside
    the features, by non-negative least squares. The background has none.
    """
    single = {group: rows[rows["kind"] == kind] for group, kind in ALONE.items()}
    weights = {g: float(part["distance"].mean() / part["prior_" + g].mean()) for g, part in single.items()}
    features = sum(weight * rows["prior_" + group].to_numpy() for group, weight in weights.items())
    (scale, skin), _ = nnls(np.column_stack([features, rows["prior_skin"]]), rows["distance"].to_numpy(np.float64))
    weights |= {"skin": float(skin / scale), "background": 0.0}
    return {group: weight / max(weights.values()) for group, weight in weights.items()}


def risk(rows: pd.DataFrame, weights: dict[str, float], witness: float = 0.0) -> Floats:
    """`restoration.risk.identity_risk` of each row."""
    face = [group for group in GROUPS if group != "background"]
    prior = sum(weights[g] * (rows["prior_" + g] - witness * rows["witness_" + g]).to_numpy() for g in face)
    whole = sum(weights[g] * rows["all_" + g].to_numpy() for g in face)
    return np.asarray(prior / whole, np.float64)


def recognition_lines(rows: pd.DataFrame, weights: dict[str, float]) -> list[str]:
    """Weights, how figures go with the distance, up to which value of each people are recognised, and means."""
    lines = [", ".join(f"{name} {value:.2f}" for name, value in weights.items())]
    for figure in ("risk", "features", "area"):
        ranks = rows[figure].corr(rows["distance"], method="spearman")
        limits = ", ".join(f"{level:.0%} up to {limit(rows, figure, level):.3f}" for level in RECOGNITION)
        lines.append(f"{figure}: rank correlation with identity distance {ranks:.3f}; recognised: {limits}")
    binned = rows.assign(bin=[f"{low:.2f}" for low in rows["risk"] // 0.05 * 0.05])
    return [*lines, "", *table(binned, "bin"), "", *table(rows, "kind")]


def limit(rows: pd.DataFrame, figure: str, level: float) -> float:
    """The largest value of a figure at which the share of recognised people, by isotonic regression, is `level`."""
    ordered = rows.sort_values(figure)
    share = isotonic_regression(ordered["recognised"].to_numpy(np.float64), increasing=False).x
    return float(ordered[figure].to_numpy()[share >= level].max(initial=0.0))


def witness_lines(known: pd.DataFrame, alone: pd.DataFrame, weights: dict[str, float]) -> list[str]:
    """How far a photo counts, and means with it."""
    trusts = np.linspace(0, 1, 21)
    served = [risk(known, weights, trust) for trust in trusts]
    figures = risk(alone, weights), alone["distance"].to_numpy(np.float64)
    best, errors = best_trust(figures, served, known["distance"].to_numpy(np.float64))
    head = f"witness: {trusts[best]:.2f} (mean error {errors[best]:.3f}; at 0 {errors[0]:.3f})"
    return ["", head, *table(known.assign(risk=served[best]), "kind"), ""]


def table(rows: pd.DataFrame, by: str) -> list[str]:
    """Means by the values of a column, in Markdown."""
    head = [f"| {by} | n | risk | missing features | identity distance | recognised |", "|---|---|---|---|---|---|"]
    return head + [
        f"| {name} | {len(part)} | {part['risk'].mean():.3f} "
        f"| {part['features'].mean():.2f} | {part['distance'].mean():.3f} | {part['recognised'].mean():.3f} |"
        for name, part in rows.groupby(by)
    ]


if __name__ == "__main__":
    main()
