"""Predict 68 landmarks (iBUG 300-W order) by Google's face mesh, whose weights anyone may use (Apache-2.0).

The network knows faces in the middle of an upright square. The detector's five points say where that lies, and what it
answers there says better, so it looks twice, as MediaPipe does from one video frame to the next.
"""

import numpy as np
import torch

from models.face.alignment import Matrix, align, invert, similarity, transform
from models.face.detector import Face
from models.face.landmarks import Landmarks, aligned_face
from models.face.mesh_network import SIDE, MeshNetwork
from models.images import Image

_COUNT = 68
_FRAME, _CENTRE = 198, np.array([0.5, 0.6])
"""The aligned frame's side, pixels of the square, and what of it lies in the square's middle: so that the first look
takes 0.97 of the frame, as the second one does (0.98 +- 0.02 of congress, 0.96 +- 0.03 of FFHQ, 40 portraits each)."""
_AROUND = 1.5
"""Side of the second square, in longer sides of the points' box; MediaPipe's own."""
_LEFT_EYE, _RIGHT_EYE = 36, 45
"""Outer corners, by side of the picture."""
_MARGIN = 2
"""Pixels around the square that interpolation may reach for."""


class MeshLandmarks:
    """Places the 68 points in a face that was found before."""

    def __init__(self, network: MeshNetwork) -> None:
        self._network = network

    def predict(self, image: Image, face: Face) -> Landmarks:
        """Predict the 68 points of one face; always 68, also where the face is covered (then they are guesses).

        Args:
            image: RGB uint8 (H, W, 3).
            face: from `FaceDetector.detect` on the same picture.

        Returns:
            (68, 2) float32 x, y, pixels of `image`; may lie outside it.
        """
        return self.points(image, face)[:_COUNT]

    def predict_aligned(self, image: Image) -> Landmarks:
        """Predict the 68 points of a portrait in the aligned frame (S, S, 3), where the face's place is known."""
        return self.predict(image, aligned_face(image.shape[0]))

    def points(self, image: Image, face: Face) -> Landmarks:
        """Place all points of the network, (N, 2) pixels of `image`; the arguments are those of `predict`."""
        first = square_of(face)
        second = _around(self._look(image, first), first)
        return transform(self._look(image, second), invert(second))

    @torch.inference_mode()
    def _look(self, image: Image, matrix: Matrix) -> Landmarks:
        """Place all points of the network in the square that `matrix` draws, pixels of it."""
        square = torch.from_numpy(drawn(image, matrix)).permute(2, 0, 1)[None].float() / 255
        points: Landmarks = self._network(square.contiguous(memory_format=torch.channels_last))[0].numpy()
        return points


def square_of(face: Face) -> Matrix:
    """Compute (2, 3), picture -> square, by the detector's points."""
    matrix = similarity(face.points, _FRAME)
    matrix[:, 2] += SIDE / 2 - _FRAME * _CENTRE
    return matrix


def _around(seen: Landmarks, matrix: Matrix) -> Matrix:
    """Change picture -> square so that the points that are seen in it lie upright in the middle of a square.

    Args:
        seen: (N, 2) pixels of the square, of which the first 68 are landmarks.
        matrix: (2, 3), picture -> square.
    """
    across = seen[_RIGHT_EYE] - seen[_LEFT_EYE]
    cos, sin = across / max(float(np.linalg.norm(across)), 1e-6)
    upright = np.array([[cos, sin], [-sin, cos]], np.float64)
    straight = seen @ upright.T
    low, high = straight.min(axis=0), straight.max(axis=0)
    scale = SIDE / (_AROUND * float((high - low).max()))
    turn = scale * upright
    shift = (SIDE - 1) / 2 - scale * (low + high) / 2
    return np.column_stack([turn @ matrix[:, :2], turn @ matrix[:, 2] + shift])


def drawn(image: Image, matrix: Matrix) -> Image:
    """Draw the square of a picture (H, W, 3): (SIDE, SIDE, 3); of a large picture only what it needs is scaled."""
    corners = np.array([[0, 0], [0, SIDE], [SIDE, 0], [SIDE, SIDE]], np.float64)
    place = transform(corners, invert(matrix))
    left, top = np.maximum(np.floor(place.min(axis=0)) - _MARGIN, 0).astype(int).tolist()
    right, bottom = (np.ceil(place.max(axis=0)) + _MARGIN).astype(int).tolist()
    part = image[top:bottom, left:right] if right > left and bottom > top else image[:0]
    if not part.size:
        return align(image, matrix, SIDE)
    moved = matrix.copy()
    moved[:, 2] += matrix[:, :2] @ (left, top)
    return align(part, moved, SIDE)
