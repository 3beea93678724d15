"""The model card of a registered version, as Markdown: purpose, data, training, evaluation, gate, limits, licence."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from models.assets import OPEN, RESEARCH, Edition
from models.face_networks.insightface_pack import LICENCE
from models.kinds import KINDS
from models.metrics.names import Metric
from pipeline.config.load import Params
from pipeline.evaluation.gate_report import GateReport, format_gate
from pipeline.evaluation.results import EvaluateReport, Figure
from pipeline.registry.lineage import Provenance

_TERMS: Mapping[Edition, str] = {
    RESEARCH: """those that started from the
shipped model inherit its card (`assets/`), CC BY-NC-SA 4.0. Face encoders and the landmark predictor have terms of
their own; the landmark predictor (iBUG 300-W) is for research.""",
    OPEN: """the model of the
edition open that they started from derives from portraits in the public domain and from networks for any use
(`assets/open_restorer.md`); what was learnt since follows the terms of the portraits named above.""",
}
METRICS: tuple[Metric, ...] = (
    "lpips",
    "ms_ssim",
    "psnr",
    "pixel_mse",
    "identity_similarity_training",
    "identity_similarity_independent",
    "recognised_independent",
)
"""Columns of the evaluation table."""


@dataclass(frozen=True)
class CardFacts:
    """What the card is written from."""

    params: Params
    origin: Provenance
    evaluation: EvaluateReport
    gate: GateReport
    champion: str
    """Version that the training started from and that the evaluation compares with."""
    people: float
    """How many people the face model counts for, by its prior weight."""


def model_card(facts: CardFacts) -> str:
    """Write the whole card."""
    sections = (
        _purpose(facts),
        _data(facts),
        _training(facts),
        _evaluation(facts),
        _gate(facts),
        _limits(),
        _licence(facts),
    )
    return _unwrap("\n\n".join(sections)) + "\n"


def _unwrap(text: str) -> str:
    """Put each paragraph and each point of a list on one line: MLflow's page breaks lines where the text does."""
    return re.sub(r"(?<=[^\n])\n(?![\n|#-]) *", " ", text)


def _purpose(facts: CardFacts) -> str:
    size = facts.params.ingest.image_size
    return f"""# {facts.params.registry.model_name}

Restores damaged portraits without changing who is in them: fills what is missing, and colours what is colourless, in
photos of any size; faces are aligned to {size} px. Known pixels are copied from the input, to the bit. A face model
completes the face from what is visible, and a network corrects the completion.

The version is self-contained: `mlflow models serve -m models:/{facts.params.registry.model_name}/VERSION` answers in an
environment of its own. Columns: `photo` (bytes of a picture file; base64 in JSON), and perhaps `mask`, likewise, white
where the photo is damaged. Answers: `picture`, a file in the format of the photo, and `row`, JSON on what became of it.

- weights: SHA-256 `{facts.gate.challenger}`
- code: git `{facts.origin.git_revision}`{" with uncommitted changes" if facts.origin.git_dirty else ""}
- pipeline: SHA-256 of dvc.lock `{facts.origin.dvc_lock_sha256}`"""


def _data(facts: CardFacts) -> str:
    data, evaluation = facts.params.data, facts.evaluation
    return f"""## Data

Source `{data.source}`, split by identity, digest `{facts.origin.data_digest}`. Damage is synthetic: brush strokes,
scratches, tears, corners, stains, folds, boxes, occluders, fading and loss of colour. Judged on
{evaluation.masks} frozen masks over {evaluation.portraits} portraits of {evaluation.identities} identities that were
not trained on."""


def _training(facts: CardFacts) -> str:
    train = facts.params.train
    terms = ", ".join(f"{name} {weight:g}" for name, weight in KINDS[train.kind].weights(train).items() if weight)
    start = f"version {facts.champion}" if train.warm_start == "champion" else "nothing"
    encoders = facts.evaluation.encoders
    return f"""## Training

The face model counts for {facts.people:.0f} people (prior weight {train.face_model.prior_weight:g}). The network:
`{train.kind}`, started from {start}, seed {train.seed}. Loss terms: {terms}. The identity term uses the encoder
`{encoders.get("training", "training")}`;
`{encoders.get("independent", "independent")}` only judges.{_digests(facts)}"""


def _digests(facts: CardFacts) -> str:
    lines = [f"- {role} encoder: SHA-256 `{digest}`" for role, digest in facts.evaluation.encoder_sha256.items()]
    return "\n\n" + "\n".join(lines) if lines else ""


def _evaluation(facts: CardFacts) -> str:
    """Format all buckets together, one row per method."""
    head = "| method | " + " | ".join(METRICS) + " |"
    rule = "|---" * (len(METRICS) + 1) + "|"
    rows = [
        f"| {method} | " + " | ".join(_cell(buckets["all"].get(metric)) for metric in METRICS) + " |"
        for method, buckets in facts.evaluation.methods.items()
        if "all" in buckets
    ]
    return "\n".join(
        ["## Evaluation", "", "Means with 95 % bootstrap intervals over identities.", "", head, rule, *rows]
    )


def _gate(facts: CardFacts) -> str:
    return f"## Gate\n\n{format_gate(facts.gate).strip()}"


def _limits() -> str:
    return """## Limits

- What is missing cannot be known. The more of the eyes, brows, nose and mouth is gone, the more is guessed; see the
  figures per bucket in the evaluation report of this run.
- Not for identification, evidence or surveillance; a restored portrait is to be marked as such.
- Judged on synthetic damage and on the portraits named above; other people, cameras and damage may fare worse.
- Similarity and recognition figures are those of two face encoders, with the errors and biases of both."""


def _licence(facts: CardFacts) -> str:
    packs = facts.params.identity.packs
    used = f"\n\n{LICENCE}; used here: {', '.join(packs)}." if packs else ""
    terms = _TERMS[facts.params.identity.edition]
    return f"""## Licence

The code is Apache-2.0. The weights follow the terms of the data that they learnt from: {terms}{used}"""


def _cell(figure: Figure | None) -> str:
    if figure is None or figure.value is None:
        return "-"
    if figure.low is None or figure.high is None:
        return f"{figure.value:.4g}"
    return f"{figure.value:.4g} [{figure.low:.4g}, {figure.high:.4g}]"
