"""The built-in generator of portraits."""

import hashlib
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from models.assets import OPEN, Edition
from models.errors import ConfigError
from pipeline.config.data import SamplerParams
from pipeline.image_io.outcome import Accepted
from pipeline.sources.item import SourceItem

if TYPE_CHECKING:
    from pipeline.face_sampler.generate import View


def check_terms(edition: Edition) -> None:
    """Refuse the sampler in the edition `open`: it was learnt from data for non-commercial use.

    Raises:
        ConfigError: that is the edition.
    """
    if edition == OPEN:
        remedy = "set data.source and data.location to portraits of your own, or identity.edition to research"
        raise ConfigError("portraits that the edition open may learn from", "data.source: sampler", remedy)


def portraits(params: SamplerParams) -> Iterator[SourceItem]:
    """Yield every view of every sampled identity, with the landmarks that it was drawn with."""
    from pipeline.face_sampler.generate import views  # only this source needs the generator

    for view in views(params):
        yield SourceItem(view.name, view.person, None, partial(_read, view))


def _read(view: "View") -> Accepted:
    """Draw the picture: there is no file, so the digest is that of the pixels (rows of RGB, uint8)."""
    from pipeline.face_sampler.generate import draw

    portrait = draw(view)
    digest = hashlib.sha256(portrait.image.tobytes()).hexdigest()
    return Accepted(portrait.image, digest, (), "pixels", landmarks=portrait.landmarks)
