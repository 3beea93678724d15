"""People of simulated traffic who let us keep a portrait: what a cycle takes in."""

from datetime import datetime
from itertools import islice

from monitoring.simulation.people import fresh_sitters, others
from pipeline.config.load import Params
from pipeline.consent.records import RECORD, record_of, store_of
from pipeline.image_io.write import png_bytes
from pipeline.project.paths import Paths

BASIS = "simulated consent"


def keep_portraits(params: Params, paths: Paths, count: int, seed: int, now: datetime) -> int:
    """Keep an intact portrait, with its consent record, of people outside `data.sampler.population`.

    Args:
        params: `keep` says where and for how long.
        paths: of the checkout.
        count: how many people agree.
        seed: of the people; others than those of traffic with another seed.
        now: when they agreed.

    Returns:
        How many portraits were kept.
    """
    store = store_of(paths, params.keep)
    drawn = params.model_copy(update={"simulate": params.simulate.model_copy(update={"seed": seed})})
    for sitter in islice(fresh_sitters(drawn, others(params)), count):
        files = {"reference-1.png": png_bytes(sitter.image)}
        record = record_of(sitter.portrait_id, "r1", BASIS, files, params.keep, now)
        store.put(f"{record.place}/{RECORD}", record.model_dump_json().encode())
        for name, content in files.items():
            store.put(f"{record.place}/{name}", content)
    return count
