"""A face of an intact photo, with which that face is compared after the photo was damaged and filled."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from models.face.detector import Face
from models.images import Image, to_tensor
from pipeline.evaluation.scoring import Judges
from restoration.photo.geometry import Frame, cut, frame_of, to_frame


@dataclass(frozen=True, eq=False)
class IntactFace:
    """A face as it was, at the place where every filled photo is cut out, too.

    Attributes:
        frame: where it lies in the photo.
        points: (1, 5, 2) float32, its points in pixels of the frame.
        target: (1, 3, size, size) float32, the aligned face.
        embedding: (1, D) float32 unit vector by the independent encoder.
    """

    frame: Frame
    points: torch.Tensor
    target: torch.Tensor
    embedding: torch.Tensor
    judges: Judges

    @classmethod
    def of(cls, photo: Image, face: Face, judges: Judges, size: int) -> "IntactFace":
        """Cut `face` out of the intact photo, uint8 (H, W, 3), into `size` pixels a side."""
        frame = frame_of(face.points, (photo.shape[0], photo.shape[1]), size)
        points = torch.from_numpy(to_frame(frame, face.points))[None]
        target = to_tensor(cut(frame, photo))
        return cls(frame, points, target, judges.embed(target, points)["independent"], judges)

    def lpips(self, picture: Image) -> float:
        """Compute LPIPS of the aligned face in a filled photo, uint8 (H, W, 3)."""
        return float(self.judges.perceptual(to_tensor(cut(self.frame, picture)), self.target))

    def identity_distance(self, picture: Image) -> float:
        """Compute 1 - the cosine, 0..2, of the face in a filled photo, uint8 (H, W, 3), and the intact one."""
        own = self.judges.embed(to_tensor(cut(self.frame, picture)), self.points)["independent"]
        return 1 - (own * self.embedding).sum().item()


def scores(pictures: Mapping[str, Image], photo: Image, face: Face, judges: Judges, size: int) -> dict[str, float]:
    """Compute LPIPS of each whole photo, and identity distance of its face, cut out as in the intact photo."""
    intact, whole = IntactFace.of(photo, face, judges, size), to_tensor(photo)
    values = {}
    for name, picture in pictures.items():
        values[f"lpips {name}"] = judges.perceptual(to_tensor(picture), whole).item()
        values[f"identity {name}"] = intact.identity_distance(picture)
    return values
