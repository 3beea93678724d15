"""Convert Google's face mesh: `python -m scripts.assets.open_edition.mesh --wheel FILE --portraits DIR`.

FILE is MediaPipe's wheel, fetched by `pip download --no-deps mediapipe==0.10.21`; its `face_landmark.tflite` is under
Apache-2.0. Google's interpreter reads it and is what the result is compared with; it is no dependency: `pip install
--no-deps --target build/litert ai-edge-litert==2.3.0`, and PYTHONPATH=build/litert for this script alone. DIR holds
the folder `congress`, whose training people say where along the jaw its 17 points lie.

Which of the 468 points a landmark is follows from what it is called: corners of eyes and mouth, lids, lips, the ridge
and base of the nose. A brow's point is the mean of its upper and its lower edge; the jaw's 17 points lie at equal steps
along its contour from temple to temple, as iBUG's do.
"""

import argparse
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.face.landmarks import aligned_face
from models.face.mesh_landmarks import MeshLandmarks, drawn, square_of
from models.face.mesh_network import OPEN_LANDMARKS, POINTS, MeshNetwork
from models.weight_files import weights_sha256, write_weights
from pipeline.portraits.read import load_image
from pipeline.project.process import quieten
from scripts.assets.refiner.people import gather_people, people_of
from scripts.one_thread import use_one_thread

SOURCE = "mediapipe/modules/face_landmark/face_landmark.tflite"
ALL, COORDINATES = 468, 3
"""Points of the mesh, and the numbers for each; the third is a depth."""
JAW = (127, 234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152)
"""Contour from the temple at the picture's left to the chin."""
JAW_RIGHT = (356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152)
UPPER_BROWS = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)
LOWER_BROWS = (46, 53, 52, 65, 55, 285, 295, 282, 283, 276)
NOSE = (168, 197, 5, 4, 98, 97, 2, 326, 327)
EYES = (33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380)
LIPS = (61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181)
MOUTH = (78, 82, 13, 312, 308, 317, 14, 87)
"""Inner edge of the lips."""
FOREHEAD = 10
MEASURED = 200
"""People whose contours are averaged."""

Floats = npt.NDArray[np.float64]


def main() -> None:
    """Convert, choose the points, write and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheel", type=Path, required=True, help="of MediaPipe 0.10.21")
    parser.add_argument("--portraits", type=Path, required=True, help="folder of folders of portraits")
    parser.add_argument("--ingested", type=Path, default=Path("build/people"), help="workspace of the portraits")
    arguments = parser.parse_args()
    quieten()
    use_one_thread()
    paths = gather_people(arguments.portraits.resolve(), None, arguments.ingested)
    rows = people_of(paths, "train")
    chosen = rows[rows["folder"] == "congress"]["portrait_id"].iloc[:MEASURED]
    pictures = [load_image(paths, portrait_id) for portrait_id in chosen]
    original = Original(zipfile.ZipFile(arguments.wheel).read(SOURCE))
    whole = whole_network(original)
    whole_mesh = MeshLandmarks(whole)
    contours = np.stack([whole_mesh.points(picture, aligned_face(picture.shape[0])) for picture in pictures])
    network = reduced(whole, weights_of(jaw_steps(contours.mean(axis=0), pictures[0].shape[0])))
    write_weights(network.state_dict(), {"mesh_points": POINTS}, OPEN_LANDMARKS, torch.float16)
    card = {
        "sha256": weights_sha256(OPEN_LANDMARKS),
        "source": f"mediapipe==0.10.21, {SOURCE}",
        "recipe": "python -m scripts.assets.open_edition.mesh --wheel FILE --portraits DIR",
        "largest_difference_to_interpreter_pixels": round(difference(original, whole, pictures), 6),
        "pictures": len(pictures),
    }
    OPEN_LANDMARKS.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(card, indent=2))


class Original:
    """The graph in its own interpreter."""

    def __init__(self, content: bytes) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = Interpreter(model_content=content)
        self._interpreter.allocate_tensors()
        (self._input,) = (entry["index"] for entry in self._interpreter.get_input_details())
        outputs = self._interpreter.get_output_details()
        (self._output,) = (entry["index"] for entry in outputs if entry["shape"][-1] == ALL * COORDINATES)

    def points(self, picture: npt.NDArray[np.floating]) -> Floats:
        """Place the points in a picture (SIDE, SIDE, 3) in [0, 1]: (468, 2) pixels, as the graph counts them."""
        self._interpreter.set_tensor(self._input, picture[None].astype(np.float32))
        self._interpreter.invoke()
        found = self._interpreter.get_tensor(self._output).reshape(ALL, COORDINATES)
        return np.asarray(found[:, :2], np.float64)

    def weights(self) -> Iterator[npt.NDArray[np.float32]]:
        """Yield the constants on the way from the picture to the points, in order."""
        operators: list[dict[str, Any]] = self._interpreter._get_ops_details()
        stored = {one["outputs"][0]: one["inputs"][0] for one in operators if one["op_name"] == "DEQUANTIZE"}
        makers = {one["outputs"][0]: one for one in operators if one["op_name"] not in ("DEQUANTIZE", "DELEGATE")}
        needed, waiting = set(), [self._output]
        while waiting:
            tensor = waiting.pop()
            if tensor in makers and tensor not in needed:
                needed.add(tensor)
                waiting += list(makers[tensor]["inputs"])
        for output, one in makers.items():  # in the graph's order
            for tensor in one["inputs"] if output in needed else ():
                if tensor in stored:
                    yield np.asarray(self._interpreter.get_tensor(stored[tensor]), np.float32)


def whole_network(original: Original) -> MeshNetwork:
    """Rebuild the graph with all its points, in evaluation mode."""
    network = MeshNetwork(ALL)
    names = list(network.state_dict())
    state = {name: as_torch(name, array) for name, array in zip(names, original.weights(), strict=True)}
    for part in ("weight", "bias"):
        rows = state[f"head.{part}"]
        kept = rows.view(ALL, COORDINATES, *rows.shape[1:])[:, :2]
        state[f"head.{part}"] = kept.reshape(2 * ALL, *rows.shape[1:])
    network.load_state_dict(state)
    return network.eval()


def as_torch(name: str, array: npt.NDArray[np.float32]) -> Tensor:
    """Turn a constant as TensorFlow has it, channels last, into PyTorch's order."""
    order = {4: (3, 0, 1, 2) if name.endswith("deep.weight") else (0, 3, 1, 2), 3: (2, 0, 1), 1: (0,)}[array.ndim]
    tensor = torch.from_numpy(np.ascontiguousarray(array.transpose(order)))
    return tensor.flatten() if array.ndim == 3 else tensor


def jaw_steps(mean: Floats, size: int) -> Floats:
    """Compute where nine points at equal steps lie on half of the mean jaw, as weights of its contour (9, 12).

    Args:
        mean: (468, 2) mean points in the aligned frame, pixels.
        size: of that frame, pixels.
    """
    half = (mean[list(JAW)] + mean[list(JAW_RIGHT)] * (-1, 1) + (size - 1, 0)) / 2
    along = np.concatenate([[0], np.linalg.norm(np.diff(half, axis=0), axis=1).cumsum()])
    steps = np.linspace(0, along[-1], 9)
    return np.stack([np.interp(steps, along, one) for one in np.eye(len(JAW))], axis=1)


def weights_of(jaw: Floats) -> Floats:
    """Compute the points that are wanted as weighted means of the mesh's, (69, 468)."""
    mesh = np.eye(ALL)
    left, right = jaw @ mesh[list(JAW)], jaw @ mesh[list(JAW_RIGHT)]
    brows = (mesh[list(UPPER_BROWS)] + mesh[list(LOWER_BROWS)]) / 2
    return np.concatenate([left, right[-2::-1], brows, mesh[[*NOSE, *EYES, *LIPS, *MOUTH, FOREHEAD]]])


def reduced(whole: MeshNetwork, weights: Floats) -> MeshNetwork:
    """Make the network that places weighted means (K, 468) of the whole one's points."""
    network, state = MeshNetwork(len(weights)), whole.state_dict()
    mix = torch.from_numpy(weights).float()
    for part in ("weight", "bias"):
        rows = state[f"head.{part}"]
        mixed = torch.einsum("kp,pc...->kc...", mix, rows.view(ALL, 2, *rows.shape[1:]))
        state[f"head.{part}"] = mixed.reshape(2 * len(weights), *rows.shape[1:])
    network.load_state_dict(state)
    return network.eval()


@torch.inference_mode()
def difference(original: Original, network: MeshNetwork, pictures: list[npt.NDArray[np.uint8]]) -> float:
    """Find the largest distance between the interpreter's points and the network's, pixels of SIDE."""
    largest = 0.0
    for picture in pictures:
        square = drawn(picture, square_of(aligned_face(picture.shape[0])))
        pixels = square.astype(np.float32) / 255
        own = network(torch.from_numpy(pixels).permute(2, 0, 1)[None])[0].double().numpy() + 0.5
        largest = max(largest, float(np.linalg.norm(own - original.points(pixels), axis=1).max()))
    return largest


if __name__ == "__main__":
    main()
