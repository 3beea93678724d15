"""Open the source that the section `data` names, as a stream of portraits."""

import logging
from collections.abc import Iterator
from datetime import datetime
from itertools import chain, islice
from pathlib import Path

from models.errors import DataError
from pipeline.config.data import DataParams
from pipeline.consent.store import open_store
from pipeline.image_io.outcome import Limits
from pipeline.project.paths import Paths
from pipeline.sources import celeba_hq, face_sampler, ffhq, folder, lfw, production
from pipeline.sources.item import SourceItem, existing_folder

_LOG = logging.getLogger(__name__)


def open_source(data: DataParams, limits: Limits, paths: Paths) -> Iterator[SourceItem]:
    """Yield the portraits of `data.source`, at most `data.limit` of them (0 = all).

    Raises:
        DataError: the place is missing, is not laid out as it should be, or holds nothing.
        ServiceUnavailable: S3 does not answer.
    """
    items = _items(data, limits, paths)
    limited = islice(items, data.limit) if data.limit else items
    first = next(limited, None)
    if first is None:
        raise DataError(f"portraits in {data.location or data.source}", "none", "correct data.location in params.yaml")
    return chain([first], limited)


def open_intake(data: DataParams, limits: Limits, paths: Paths, now: datetime) -> Iterator[SourceItem]:
    """Yield the production portraits at `data.intake` whose consent holds at `now`; none if it is empty.

    A missing folder only gives a warning: perhaps nothing has been kept yet.

    Raises:
        DataError: an address that is none.
        ServiceUnavailable: S3 does not answer.
    """
    if not data.intake:
        return iter(())
    folder = paths.home.root / Path(data.intake).expanduser()
    if not data.intake.startswith("s3://") and not folder.is_dir():
        _LOG.warning("ingest: data.intake: there is no folder %s (yet), so nothing comes from production", folder)
    return production.portraits(open_store(data.intake, paths.home.root, "data.intake"), limits, now)


def _items(data: DataParams, limits: Limits, paths: Paths) -> Iterator[SourceItem]:
    if data.source == "sampler":
        return face_sampler.portraits(data.sampler)
    if data.source == "s3":
        from pipeline.sources import s3  # boto3 takes half a second to import

        return s3.portraits(data.location, data.identity_pattern, limits, paths.source_cache)
    place = existing_folder(data.location, paths.home.root, "portraits")
    if data.source == "folder":
        return folder.portraits(place, data.identity_pattern, limits)
    return _PUBLISHED[data.source](place, limits)


_PUBLISHED = {"celeba-hq": celeba_hq.portraits, "ffhq": ffhq.portraits, "lfw": lfw.portraits}
