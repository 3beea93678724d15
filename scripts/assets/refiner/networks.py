"""Generators as weights files hold them, whatever face model their header names."""

from pathlib import Path

from models.gan.generator import Generator
from models.weight_files import fill, read_architecture

SHAPE = ("width", "depth", "conditioned")


def load_generator(path: Path) -> Generator:
    """Read a generator to measure it, or to learn on: unlike `Restorer.load`, for any face model.

    Raises:
        WeightsError: no such file, or another content.
    """
    header = read_architecture(path)
    generator = Generator(**{name: header[name] for name in SHAPE})
    fill(generator, path)
    return generator.eval()
