"""One thread for a script that measures or trains, so that other work on the machine disturbs it least."""

import cv2
import torch


def use_one_thread() -> None:
    """Let torch and OpenCV compute in the calling thread only."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
