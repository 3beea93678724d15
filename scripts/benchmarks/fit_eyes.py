"""Fit how dark and of what colour true eyes are by their completions: the constants of `models/evidence/eye_tone.py`.

`python -m scripts.benchmarks.fit_eyes --portraits DIR`. Both eyes and brows of real people of the validation split are
hidden; eyes are compared between the true lids. Nothing is random; prints the line and the mean difference of colour.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from models.colour import to_planes
from models.evidence.evidence import compose
from models.evidence.eye_tone import EYES, iris_colour, opening
from models.evidence.mirrored_eye import with_mirrored_eyes
from models.face.landmarkers import aligned_landmarks
from models.face_model.shape_and_appearance import shipped_face_model
from models.images import to_tensor
from pipeline.portraits.read import landmarks_of, load_image
from pipeline.project.process import quieten
from scripts.assets.refiner.people import gather_people, people_of
from scripts.benchmarks.measure_eyes import BOTH, hide
from scripts.one_thread import use_one_thread

DARK = 0.15
"""Quantile of luma in the opening that counts as dark, as in `eye_tone.py`."""


@torch.inference_mode()
def main() -> None:
    """Complete, compare, fit, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True, help="folder of folders of portraits")
    parser.add_argument("--ingested", type=Path, default=Path("build/people"), help="workspace of the portraits")
    arguments = parser.parse_args()
    quieten()
    use_one_thread()
    paths, model = gather_people(arguments.portraits.resolve(), None, arguments.ingested), shipped_face_model()
    rows = people_of(paths, "validation")
    found = []
    for _, row in rows[rows["folder"].isin(["ffhq256", "congress"])].iterrows():
        target, landmarks = to_tensor(load_image(paths, row["portrait_id"])), landmarks_of(row)
        damaged = hide(target, landmarks, BOTH)
        bare = compose(damaged, model.complete(damaged.image, damaged.hole_mask, damaged.chroma_mask).picture)
        own = with_mirrored_eyes(bare, damaged.chroma_mask, aligned_landmarks(bare, model.landmarker))
        for eye in EYES:
            between = opening(landmarks[eye], target.shape[-1])
            made, true = (to_planes(picture)[0][:, between] for picture in (own, target))
            darks = [float(torch.quantile(pixels[0], DARK)) for pixels in (made, true)]
            found.append([*darks, *(iris_colour(true) - iris_colour(made))[1:].tolist()])
    made_dark, true_dark, blue, red = np.array(found).T
    slope, offset = np.polyfit(made_dark, true_dark, 1)
    print(
        f"{len(found)} eyes: dark = {offset:.3f} + {slope:.3f} x completed; Cb {blue.mean():+.3f}, Cr {red.mean():+.3f}"
    )


if __name__ == "__main__":
    main()
