"""The registered model, as code (MLflow "models from code"): this file is copied beside the safetensors weights.

It imports the project's own `models` package, so it loads wherever Likeness is installed; the tag `git_revision` of a
version says at which state. A copy of the package inside the artifact (`code_paths`) would shadow the installed one in
every process that loads a model.

MLflow knows no optional tensors: where no colour is lost, pass the hole mask as `chroma_mask` too.
"""

from pathlib import Path
from typing import cast

import mlflow.pyfunc
import numpy as np
import numpy.typing as npt
import torch
from mlflow.models import set_model
from mlflow.pyfunc import PythonModelContext

from models.errors import DataError
from models.evidence.evidence import Damaged
from models.load import load_restorer

Floats = npt.NDArray[np.float32]
Arrays = dict[str, Floats]
INPUTS = ("image", "hole_mask", "chroma_mask", "coverage", "missing_features")


class PortraitRestorer(mlflow.pyfunc.PythonModel):  # type: ignore[misc] # MLflow is untyped here
    """A restorer of either kind behind MLflow's interface."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the weights out of the artifact."""
        self.restorer = load_restorer(Path(context.artifacts["weights"]))

    def predict(self, context: PythonModelContext, model_input: np.ndarray, params: None = None) -> Floats:  # noqa: ARG002 - MLflow's signature
        """Restore a batch.

        Args:
            context: MLflow's; not used.
            model_input: arrays float32 by name: `image` (N, 3, H, W) in [-1, 1], `hole_mask` and `chroma_mask`
                (N, 1, H, W) with 1 = missing, `coverage` and `missing_features` (N,) in [0, 1].
            params: none are known.

        Returns:
            (N, 3, H, W) float32 in [-1, 1]; known pixels are those of `image`.

        Raises:
            DataError: an array is missing.
        """
        arrays = cast(Arrays, model_input)  # MLflow knows no hint for a dict of arrays, and warns at any other
        if absent := [name for name in INPUTS if name not in arrays]:
            raise DataError(f"arrays {', '.join(INPUTS)}", f"no {', '.join(absent)}", "pass a dict of float32 arrays")
        tensors = {name: torch.from_numpy(np.asarray(arrays[name], np.float32)) for name in INPUTS}
        damaged = Damaged(
            tensors["image"],
            tensors["hole_mask"],
            tensors["chroma_mask"],
            tensors["coverage"],
            tensors["missing_features"],
        )
        restored: Floats = self.restorer.restore(damaged).numpy()
        return restored


set_model(PortraitRestorer())
