"""Tell whether pictures of people are kept."""

from pipeline.config.data import KeepParams
from pipeline.consent.records import store_of
from pipeline.project.paths import Paths


def any_kept(paths: Paths, params: KeepParams) -> bool:
    """Tell whether anything is kept at `keep.location`.

    Raises:
        DataError: an address that is none.
        ServiceUnavailable: S3 does not answer.
    """
    return next(store_of(paths, params).names(), None) is not None
