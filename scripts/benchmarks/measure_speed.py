"""Print how much CPU one restoration takes: torch against ONNX Runtime, and the diffusion model.

`python -m scripts.benchmarks.measure_speed`. CPU seconds of all threads (`time.process_time`), median of the runs after
one to warm up. A photo of 256 pixels is restored in the aligned frame of 128; the network alone is measured at 256 as
well.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median

import torch

from models.assets import ASSETS
from models.evidence.evidence import CHANNELS, CONDITIONS, Damaged, gather
from models.evidence.identity_condition import HINTS
from models.gan.onnx import OnnxRestorer, export_onnx
from models.gan.restorer import Restorer
from models.load import load_restorer


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=9)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(f"| what ({arguments.threads} threads, median of {arguments.runs}) | CPU s | wall s |\n|---|---|---|")
    for name, work in works(arguments.threads).items():
        print("| {} | {:.3f} | {:.3f} |".format(name, *seconds(work, arguments.runs)), flush=True)


def works(threads: int) -> dict[str, Callable[[], object]]:
    """What is measured, by name."""
    eager, damaged, double = Restorer.load(ASSETS / "restorer.safetensors"), case(128), case(256)
    onnx = OnnxRestorer(export_onnx(eager), threads, eager.face_model)
    enlarged = Restorer(eager.generator, 256, eager.face_model)
    wide = OnnxRestorer(export_onnx(enlarged), threads, eager.face_model)
    small, large = (
        [torch.rand(1, CHANNELS, side, side), torch.rand(1, CONDITIONS), torch.rand(1, HINTS)] for side in (128, 256)
    )
    # `replace`: a batch keeps its evidence, so each call needs a batch of its own
    found: dict[str, Callable[[], object]] = {
        "evidence alone (face model, Telea, landmarks, identity)": lambda: gather(damaged, eager.face_model),
        "network at 128 px, torch eager": lambda: eager.generator.propose(*small),
        "network at 128 px, ONNX Runtime": lambda: onnx.run(small),
        "network at 256 px, torch eager": lambda: eager.generator.propose(*large),
        "network at 256 px, ONNX Runtime": lambda: wide.run(large),
        "one restoration, torch eager": lambda: eager.restore(replace(damaged)),
        "one restoration, ONNX Runtime": lambda: onnx.restore(replace(damaged)),
        "one restoration at 256 px, ONNX Runtime": lambda: wide.restore(replace(double)),
    }
    diffusion = ASSETS / "diffusion.safetensors"
    if diffusion.is_file():
        sampler = load_restorer(diffusion)
        found["one restoration, diffusion"] = lambda: sampler.restore(replace(damaged))
    return found


def case(side: int) -> Damaged:
    """A flat portrait with a tenth of it missing: time does not depend on what it shows."""
    hole = torch.zeros(1, 1, side, side)
    hole[..., side // 3 : 2 * side // 3, side // 3 : 2 * side // 3] = 1
    share = torch.full((1,), 0.2)
    return Damaged(torch.zeros(1, 3, side, side), hole, hole, share, share)


@torch.inference_mode()
def seconds(work: Callable[[], object], runs: int) -> tuple[float, float]:
    """Median CPU and wall seconds of one call."""
    cpu, wall = [], []
    for _ in range(runs + 1):
        begin_cpu, begin_wall = time.process_time(), time.perf_counter()
        work()
        cpu.append(time.process_time() - begin_cpu)
        wall.append(time.perf_counter() - begin_wall)
    return median(cpu[1:]), median(wall[1:])


if __name__ == "__main__":
    main()
