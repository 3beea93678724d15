"""What a registered model takes and answers: columns, parameters, an example."""

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.models import ModelSignature

PHOTO, MASK, PICTURE, ROW = "photo", "mask", "picture", "row"
"""Columns: the first two go in, the second required by nobody; the others come out."""


def signature() -> "ModelSignature":
    """Build the signature: photos and masks as bytes (base64 in JSON), pictures and rows out, options as parameters."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema

    return ModelSignature(
        Schema([ColSpec("binary", PHOTO), ColSpec("binary", MASK, required=False)]),
        Schema([ColSpec("binary", PICTURE, required=False), ColSpec("string", ROW)]),
        ParamSchema(
            [
                ParamSpec("mode", "string", "auto"),
                ParamSpec("strength", "double", 1.0),
                ParamSpec("fade", "boolean", default=False),
                ParamSpec("strip", "boolean", default=False),
            ]
        ),
    )


def input_example(side: int) -> "pd.DataFrame":
    """Make one grey photo with a white scratch, and its mask, as PNG files of `side` x `side` pixels."""
    import pandas as pd

    from pipeline.image_io.write import png_bytes  # with PyTorch, which flows start without

    mask = np.zeros((side, side, 3), np.uint8)
    cv2.line(mask, (side // 4, side // 4), (side // 2, side // 2), (255, 255, 255), 2)
    photo = np.maximum(mask, np.uint8(128))
    return pd.DataFrame({PHOTO: [png_bytes(photo)], MASK: [png_bytes(mask)]})
