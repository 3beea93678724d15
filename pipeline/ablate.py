"""Stage `ablate`: the studies behind the claims, off by default. A cycle never runs it."""

import logging
from collections.abc import Collection

import torch

from models.errors import DataError
from models.load import load_restorer, read_kind
from pipeline.ablation.common import embed_intact, read_split
from pipeline.ablation.curvature_study import curvature_of
from pipeline.ablation.disagreement import disagreement
from pipeline.ablation.genuine_range import genuine_floors
from pipeline.ablation.onset_study import onset_report, onset_rows
from pipeline.ablation.page import example_strips, write_page
from pipeline.ablation.results import STUDIES, AblateReport, CurvatureReport, OnsetReport, Study
from pipeline.ablation.transition_study import INPAINT, id_fid_report, measure_transition, transition_report
from pipeline.ablation.variant_study import variant_report
from pipeline.config.ablation import AblateParams
from pipeline.config.identity import IdentityParams
from pipeline.config.masks import MaskParams
from pipeline.config.training import TrainParams
from pipeline.evaluation.baselines import Method, baselines
from pipeline.evaluation.examples import Strip
from pipeline.evaluation.scoring import Judges
from pipeline.portraits.read import read_portraits
from pipeline.project.environment import environment
from pipeline.project.files import fresh_folder, read_report, write_text
from pipeline.project.paths import Paths
from pipeline.registry import tracking
from pipeline.registry.champion import read_champion

EXAMPLES = 6
"""Pairs that are shown because the pixel score and the identity contradict each other."""

_log = logging.getLogger(__name__)


def ablate(
    *, ablate: AblateParams, train: TrainParams, masks: MaskParams, identity: IdentityParams, paths: Paths
) -> AblateReport:
    """Run every study on the champion; writes figures, tables, charts and one page.

    Raises:
        DataError: no portraits in the split.
        WeightsError: the champion's weights are missing or damaged.
        ServiceUnavailable: MLflow does not answer.
    """
    return run_studies(ablate, train, masks, identity, paths, STUDIES)


def run_studies(
    params: AblateParams,
    train: TrainParams,
    masks: MaskParams,
    identity: IdentityParams,
    paths: Paths,
    studies: Collection[Study],
) -> AblateReport:
    """Run some studies; the others keep the results of an earlier run on the same champion.

    Args:
        params: section `ablate`.
        train: section `train`, of which the small networks change as little as they can.
        masks: damage for the small networks.
        identity: encoders by role.
        paths: a checkout after ingest and champion.
        studies: which of `STUDIES` to run.
    """
    tracking.connect(paths)  # first of all: it may not answer
    judges = Judges.load(torch.device(environment().device), identity)
    bench = Bench(paths, params, judges)
    report = earlier_report(paths, bench.empty_report())
    if "onset" in studies:
        report = report.model_copy(update={"onset": bench.onset()})
    if "transition" in studies:
        report = report.model_copy(update=bench.transition())
    if "curvature" in studies:
        report = report.model_copy(update={"curvature": bench.curvature(train, masks)})
    if "variants" in studies:
        report = report.model_copy(update={"variants": variant_report(train, masks, paths, judges, params)})
    with fresh_folder(paths.ablation) as folder:
        write_page(report, bench.strips(report), folder, paths.ablation_html.name)
    write_text(paths.ablation_report, report.model_dump_json(indent=2) + "\n")
    _log_to_mlflow(report, paths)
    return report


class Bench:
    """The champion, classical baselines (without Navier-Stokes, which looks like Telea), and portraits of one run."""

    def __init__(self, paths: Paths, params: AblateParams, judges: Judges) -> None:
        self._paths, self._params, self._judges = paths, params, judges
        self._champion = read_champion(paths)
        self._restorer = load_restorer(paths.champion_weights, self._champion.sha256, judges.device)
        others = baselines(self._restorer.face_model)
        self._methods: dict[str, Method] = {
            "champion": self._restorer.restore,
            **{name: method for name, method in others.items() if name != "navier-stokes"},
        }
        self._rows = read_portraits(paths)
        self._portraits = read_split(paths, self._rows, params.split, params.portraits, params.seed)
        if not self._portraits:
            raise DataError(f"portraits in the {params.split} split", "none", "change ablate.split in params.yaml")
        self._intact = embed_intact(self._portraits, judges, params.batch_size)

    def empty_report(self) -> AblateReport:
        """Build a report of what was measured, without figures."""
        return AblateReport(
            champion=self._champion.sha256,
            version=self._champion.version,
            split=self._params.split,
            portraits=len(self._portraits),
            people=len({portrait.identity for portrait in self._portraits}),
            seed=self._params.seed,
            encoders={role: encoder.name for role, encoder in self._judges.encoders.items()},
        )

    def onset(self) -> OnsetReport:
        """Measure identity against missing features."""
        floors = genuine_floors(self._paths, self._rows, self._judges, self._params)
        _log.info("ablate: onset on %d portraits", len(self._portraits))
        rows = onset_rows(self._methods, self._portraits, self._intact, self._judges, self._params)
        return onset_report(rows, floors, self._params)

    def transition(self) -> dict[str, object]:
        """Compare inpainting with colour alone, and measure ID-FID by coverage and where scores disagree."""
        _log.info("ablate: transition on %d portraits", len(self._portraits))
        measured = measure_transition(self._methods, self._portraits, self._intact, self._judges, self._params)
        inpainted = measured.rows[measured.rows["kind"] == INPAINT]
        return {
            "transition": transition_report(measured.rows, self._params),
            "id_fid": id_fid_report(measured.kept, self._intact, self._params),
            "disagreement": disagreement(inpainted, "champion", "telea", EXAMPLES),
        }

    def strips(self, report: AblateReport) -> list[Strip]:
        """Draw pictures of the contradictions that the report names."""
        if report.disagreement is None or not report.disagreement.examples:
            return []
        names = report.disagreement.examples
        return example_strips(names, self._portraits, self._intact, self._methods, self._judges, self._params)

    def curvature(self, train: TrainParams, masks: MaskParams) -> CurvatureReport | None:
        """Measure the curvature of the loss on portraits of the training split, and the gap to the split's.

        None for a kind of network whose loss has no fixed value.
        """
        objective = read_kind(self._paths.champion_weights).objective
        if objective is None:
            _log.info("ablate: no curvature of this kind of model: its loss has no fixed value")
            return None
        _log.info("ablate: curvature")
        encoder = self._judges.encoders["training"]
        return curvature_of(
            self._restorer.network, objective, encoder, self._rows, train, masks, self._paths, self._params
        )


def earlier_report(paths: Paths, fresh: AblateReport) -> AblateReport:
    """Complete `fresh` with the results of an earlier run on the same champion, portraits and seed.

    The small networks are trained from nothing: their figures stay when only the champion is another.
    """
    if not paths.ablation_report.is_file():
        return fresh
    earlier = read_report(paths.ablation_report, AblateReport, "ablate")
    if _about(earlier) == _about(fresh):
        return earlier
    same = {**_about(earlier), "champion": "", "version": ""} == {**_about(fresh), "champion": "", "version": ""}
    return fresh.model_copy(update={"variants": earlier.variants}) if same else fresh


def _about(report: AblateReport) -> dict[str, object]:
    """Describe what was measured, without the figures."""
    return report.model_dump(include={"champion", "version", "split", "portraits", "people", "seed", "encoders"})


def _log_to_mlflow(report: AblateReport, paths: Paths) -> None:
    tracking.set_tags(paths, {"ablate.version": report.version})
    tracking.log_metrics(paths, headline_figures(report))
    for file in (paths.ablation_html, paths.ablation_report):
        tracking.log_artifact(paths, file, "ablate")


def headline_figures(report: AblateReport) -> dict[str, float]:
    """Choose the few numbers that are compared between models."""
    figures: dict[str, float | None] = {}
    for role, onset in (report.onset.onsets["champion"] if report.onset else {}).items():
        figures[f"ablate.onset.{role}"] = onset.crossing.value
    if report.curvature:
        bent = report.curvature
        figures |= {f"ablate.curvature.{name}": getattr(bent, name) for name in ("largest", "trace", "gap")}
    return {name: value for name, value in figures.items() if value is not None}
