"""The registered model, as code (MLflow "models from code"): this file is copied into the version.

What it imports, and all that restoring reads, lies in the version as well (`pipeline.registry.packing`): it loads
where the project is not installed.
"""

import threading
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModelContext
from mlflow.store.artifact.models_artifact_repo import REGISTERED_MODEL_META_FILE_NAME
from mlflow.utils.yaml_utils import read_yaml

from models.errors import LikenessError
from models.package_files import file_sha256
from pipeline.registry.artifact import WEIGHTS
from pipeline.registry.signature import MASK, PHOTO, PICTURE, ROW
from restoration.files.restore_files import failed_row
from restoration.registered.load import asked_for, load_settings
from restoration.registered.restore_bytes import Answer, restore_bytes


class PortraitRestorer(mlflow.pyfunc.PythonModel):  # type: ignore[misc] # MLflow is untyped here
    """`likeness restore` behind MLflow's interface."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load all that restoring needs from the version's files."""
        self.settings = load_settings(context.artifacts, _version(Path(context.artifacts[WEIGHTS])))
        self._one_at_a_time = threading.Lock()  # the face detector holds state

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002 - MLflow's signature
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Restore photos.

        Args:
            context: MLflow's; not used.
            model_input: one photo per row: `photo`, bytes of a picture file, and perhaps `mask`, likewise, white where
                the photo is damaged; without a mask damage is searched for.
            params: `mode`, `strength`, `fade` and `strip`, as of `likeness restore`.

        Returns:
            In the same order `picture`, a file in the format of the photo (None where nothing came back), and `row`,
            the line that `likeness restore --json` prints.
        """
        photos, masks = model_input[PHOTO], _masks(model_input)
        with self._one_at_a_time:
            answers = [self._answer(*each, params or {}) for each in zip(photos, masks, strict=True)]
        columns = {PICTURE: [answer.picture for answer in answers], ROW: [answer.row for answer in answers]}
        return pd.DataFrame(columns, index=model_input.index, dtype=object)

    def _answer(self, photo: object, mask: object, params: dict[str, Any]) -> Answer:
        try:
            return restore_bytes(photo, mask, asked_for(self.settings, params))
        except LikenessError as error:
            return Answer(None, failed_row(Path(PHOTO), error).as_json())


def _masks(table: pd.DataFrame) -> list[object]:
    """Give one mask per row; None where there is none."""
    if MASK not in table:
        return [None] * len(table)
    return [mask if given else None for mask, given in zip(table[MASK], table[MASK].notna(), strict=True)]


def _version(weights: Path) -> str:
    """Name the version by its number, where it was loaded by one or by an alias, else by its weights."""
    model = weights.parent.parent
    if (model / REGISTERED_MODEL_META_FILE_NAME).is_file():
        return str(read_yaml(str(model), REGISTERED_MODEL_META_FILE_NAME)["model_version"])
    return f"sha256 {file_sha256(weights)[:12]}"


set_model(PortraitRestorer())
