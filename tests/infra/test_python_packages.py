"""What `infra/install-python-packages` must give, whatever the packages ask for."""

import shutil
from importlib import metadata

import cv2
import torch


def test_opencv_is_the_headless_build_with_its_contributed_modules() -> None:
    """Other packages ask for other builds, which would overwrite its files; opencv-python needs libGL besides."""
    owners = set(metadata.packages_distributions()["cv2"])
    assert owners == {"opencv-contrib-python-headless"}
    assert hasattr(cv2, "xphoto")
    gui = next(line for line in cv2.getBuildInformation().splitlines() if line.strip().startswith("GUI:"))
    assert gui.split(":")[1].strip() == "NONE"


def test_pytorch_is_built_for_what_is_here() -> None:
    assert torch.__version__.split("+")[0] == "2.13.0"
    if shutil.which("nvidia-smi") is None:
        assert torch.version.cuda is None
