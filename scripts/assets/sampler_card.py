"""The sampler's card: `sampler.json` for programs, `sampler.md` for people."""

import json
from pathlib import Path
from typing import Any

_LICENCE = {
    "licence": "CC BY-NC-SA 4.0",
    "attribution": (
        "Adapted from the One Million Impressions data set (repository jcpeterson/omi on GitHub): Peterson, Uddenberg, "
        "Griffiths, Todorov, Suchow (2022), Deep models of superficial face judgments, PNAS 119(17) e2115228119."
    ),
    "data": "images 0001 to 0720 and 600 views of 40 further identities; every face is synthetic (StyleGAN2)",
}

_TEXT = """# The sampler: portraits of nobody

An active appearance model (Cootes et al. 2001) of {portraits} synthetic portraits with {components} joint components of
shape and coarse texture, learnt from {donors} clear faces and their mirror images. Fine detail is borrowed feature by
feature (eyes, nose, mouth, skin) from four different donors whose coarse picture agrees; hair, forehead and background
come from a fifth. Views of one identity move its coefficients along directions learnt from {views} pictures of 40
people (smile, variation within identities) and along the regression on the turn of the head, under other light
(first-order spherical harmonics) and with a small shift, turn and scale in the plane.

- `sampler.safetensors`: {bytes} bytes, SHA-256 `{sha256}`
- made by `python -m scripts.assets.make_sampler --portraits DIR --out assets/`
- measured by `python -m scripts.assets.measure_sampler --portraits DIR --seed {figures[seed]}`

## Data and licence

{attribution}
Used: {data}. Portraits 0721 to 0900 had no part in it and serve as unseen data.
The asset is a derivative of these pictures: **{licence}** (attribution, non-commercial, share alike), unlike the code.
The landmarks were found by dlib's predictor, whose 300-W training data is for research use.

## Figures

{figures[identities]} identities, {figures[views]} views each, seed {figures[seed]}, 128 px.

| figure | value |
|---|---|
| found by the detector (YuNet, score 0.6) | {figures[detected_share]:.2%} |
| landmarks: mean distance to dlib's detections, pixels | {figures[landmark_error_pixels]} |
| the same, as a share of the distance of the outer eye corners | {figures[landmark_error_interocular]:.2%} |
| portraits per second of one core (`OMP_NUM_THREADS=1`) | {figures[portraits_per_cpu_second]} |

Cosine similarity between first views of different identities (impostor) and between views of one (genuine); `dlib` is
whitened as in `models/identity/dlib_encoder.py`:

| encoder | impostor median | impostor 95 % | genuine median | genuine 5 % | genuine above impostor 95 % |
|---|---|---|---|---|---|
{likeness}

Nearest of the 720 training portraits, for the samples' first views and for the held-out portraits. No sampled face is a
copy as long as samples are no nearer than portraits of other people are (both encoders look at faces only):

| encoder | samples: median | samples: highest | held out: median | held out: highest |
|---|---|---|---|---|
{nearest}

## Limits

- Faces are near frontal, without glasses: such portraits were left out as donors. Head turns are small.
- Hair, hats, clothes and backgrounds are those of {donors} donors (and mirrored), bent to the drawn face; they repeat.
  Views of one identity share them, so pictures of one identity can be told by their background: split by identity.
  Identities in different splits may share a donor's background too.
- Hair and face are matched by tone and style only; age and sex may disagree between them, and seams show at times.
- The people of the data set were made by a generator trained on web photographs; its biases in age, skin tone
  and expression (most smile) are inherited. The filter against glasses also drops other faces with strong contrast.
- The landmarks are exact for the warp, but the mean shape they move was placed by dlib: its habits are in them.
- Not a benchmark of faces, and no basis for statements about people.
"""


def write_card(out: Path, facts: dict[str, Any]) -> None:
    """Write `sampler.json`; and `sampler.md` once `facts` has the figures of `scripts.assets.measure_sampler`."""
    card = {**facts, **_LICENCE}
    (out / "sampler.json").write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if "figures" in facts:
        (out / "sampler.md").write_text(_text(card), encoding="utf-8")


def _text(card: dict[str, Any]) -> str:
    figures = card["figures"]
    likeness = {name: figures[name] for name in figures["nearest_training_portrait"]}
    near = {
        name: [row[key] for key in ("samples_median", "samples_highest", "held_out_median", "held_out_highest")]
        for name, row in figures["nearest_training_portrait"].items()
    }
    return _TEXT.format(
        **card, likeness=_rows({name: list(row.values()) for name, row in likeness.items()}), nearest=_rows(near)
    )


def _rows(table: dict[str, list[float]]) -> str:
    return "\n".join(f"| {name} | " + " | ".join(f"{value:.3f}" for value in row) + " |" for name, row in table.items())
