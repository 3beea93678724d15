"""Pages of the demo as values: one whose challenger won, and one whose challenger did not pass the gate."""

from dataclasses import replace

import numpy as np

from pipeline.config.data import EVERYBODY, SamplerParams
from pipeline.evaluation.examples import data_uri
from pipeline.evaluation.gate_report import GateReport, GateRow
from pipeline.face_sampler.generate import portraits
from serving.views.demo_charts import Look, Moved
from serving.views.demo_report import DemoPage, DriftStory, Moment, Shown, TrialStory

LOOKS = (Look(38, -0.01, -0.16, 0.14), Look(77, 0.004, -0.10, 0.108), Look(116, 0.006, -0.075, 0.087))


def gate_row(name: str, value: float, verdict: str = "pass") -> GateRow:
    return GateRow(
        name=name, metric="lpips", versus="telea", bucket="all", bound="<= 0.75", judge="upper",
        value=value, low=value - 0.05, high=value + 0.05, verdict=verdict,
    )  # fmt: skip


def won() -> DemoPage:
    people = list(portraits(SamplerParams(identities=6, views=1, seed=2, population=EVERYBODY)))
    images = [np.asarray(person.image) for person in people]
    uris = [data_uri(image) for image in images]
    damaged = []
    for image in images:
        torn = image.copy()
        torn[40:90, 30:100] = 127
        damaged.append(data_uri(torn))
    return DemoPage(
        title="The photos changed. The model was retrained, tested and replaced by itself.",
        lead="In this run the drift was found, version 2 was trained for it, passed the gate, and became champion. "
        "Nobody had to step in; here is what happened, and what it is based on.",
        made="30 November 2026",
        moments=(
            Moment("A model is made", "Version 1 learns from portraits and is measured.", "1 min 31 s"),
            Moment("Photos come in", "100 photos restored. The watch compares them: all as expected.", "58 s"),
            Moment("They change", "100 photos of another kind are restored.", "29 s", special=True),
            Moment(
                "The watch sees it", "It starts a cycle by itself, which trains version 2.", "1 min 12 s", special=True
            ),
            Moment("A test decides", "Both versions serve 120 photos; version 2 becomes the model in use.", "41 s"),
        ),
        drift=DriftStory(
            usual="Portraits with damage of every size: scratches, tears, folds, stains, faded colours.",
            drifted="Portraits in which at least 30 % of the face is gone.",
            cause="The model had learnt from damage of every size alike. Large holes are harder.",
            answer="The next cycle trains on damage as large as what now comes in.",
            usual_pictures=tuple(uris[:4]),
            drifted_pictures=tuple(damaged[:4]),
            windows=(
                ("usual photos", "100", "0 of 21", "nothing to do"),
                ("changed photos", "100", "3 of 21 (damaged area, missing features, identity risk)", "start a cycle"),
            ),
            moved=(
                Moved("damaged share of the face", 0.6, 8.4, True),
                Moved("damaged area", 0.4, 6.1, True),
                Moved("missing features", 0.7, 5.5, True),
                Moved("identity risk", None, 4.0, True),
                Moved("brightness", 1.2, 0.9, False),
            ),
        ),
        people=tuple(
            (
                Shown("as it was", "never shown to a model", intact),
                Shown("damaged", "what comes in", torn),
                Shown("before", "version 1, likeness 0.71", intact),
                Shown("after", "version 2, likeness 0.73", intact) if n else Shown("after", "version 2 refuses", ""),
            )
            for n, (intact, torn) in enumerate(zip(uris, damaged, strict=True))
        ),
        people_words="These are the first 6 people of a fixed series, not a choice of the best.",
        populations=(("Children and the young", "30", "0.77 [0.71, 0.85]", "0.85 [0.80, 0.90]"),),
        populations_words="Both versions restore the same damaged portraits. Proven to lose: nobody.",
        gate=GateReport(
            passed=True,
            challenger="a" * 64,
            rows=(gate_row("lpips_vs_telea", 0.5), gate_row("ms_ssim", 0.95), gate_row("worst_slice_vs_champion", 1.0)),
        ),
        gate_words="The new version meets 3 of 3 criteria on portraits of people it was not trained on.",
        trial=TrialStory(
            sentence="Version 2 is proven not to be worse, and becomes the model in use.",
            reason="The verdict in its own words: identity is proven not worse by 0.1.",
            margin=0.1,
            looks=LOOKS,
            outcomes=(("likeness, higher is better", "0.702", "0.708", "+0.006 [-0.075, +0.087]"),),
        ),
        times=(("First cycle", "1 min 31 s", "", ""), ("– The model is trained", "20 s", "160", "8.0")),
        links=(("data/evaluation/report.html", "Evaluation", "the new version against four others"),),
        commands=(("Everything at once", "likeness up --root build/demo"),),
    )


def failed() -> DemoPage:
    page = won()
    rows = (gate_row("lpips_vs_telea", 0.9, "fail"), *page.gate.rows[1:])
    return replace(page, gate=page.gate.model_copy(update={"passed": False, "rows": rows}), trial=None)
