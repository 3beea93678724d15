from models.gan.generator import Generator
from scripts.assets.refiner.steps import optimisers_of


def test_every_parameter_has_one_optimiser() -> None:
    generator = Generator(8, 2)
    shared = [id(weight) for one in optimisers_of(generator, 0.01, 0.001) for weight in one.param_groups[0]["params"]]
    assert sorted(shared) == sorted(id(weight) for weight in generator.parameters())
    assert len(set(shared)) == len(shared)
