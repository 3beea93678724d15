"""What `infra/install-python-packages` must give, whatever the packages ask for."""

import shutil
from importlib import metadata

import cv2
import torch


def test_opencv_is_the_headless_build() -> None:
    """insightface asks for opencv-python, which needs libGL and overwrites the files of the headless build."""
    owners = set(metadata.packages_distributions()["cv2"])
    assert owners == {"opencv-python-headless"}
    gui = next(line for line in cv2.getBuildInformation().splitlines() if line.strip().startswith("GUI:"))
    assert gui.split(":")[1].strip() == "NONE"


def test_pytorch_is_built_for_what_is_here() -> None:
    assert torch.__version__.split("+")[0] == "2.13.0"
    if shutil.which("nvidia-smi") is None:
        assert torch.version.cuda is None
