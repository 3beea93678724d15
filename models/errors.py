"""The project's errors. Every message says what was expected, what came, and what to do."""


class LikenessError(Exception):
    """Base of all errors a user may meet; the command line prints it as one line.

    Args:
        expected: what the code needed, as a noun phrase.
        got: what it found instead.
        remedy: what the user can do about it, as an imperative.
    """

    def __init__(self, expected: str, got: str, remedy: str) -> None:
        super().__init__(f"expected {expected}; got {got}; {remedy}")
        self.expected = expected
        self.got = got
        self.remedy = remedy

    def __reduce__(self) -> tuple[type["LikenessError"], tuple[str, str, str]]:
        return type(self), (self.expected, self.got, self.remedy)


class ConfigError(LikenessError):
    """params.yaml, the overlay or the environment is wrong."""


class DataError(LikenessError):
    """A folder, source, table or picture that a stage needs is missing, empty or malformed."""


class MaskError(DataError):
    """A mask that does not fit its picture or says nothing (all black, all white)."""


class StorageError(DataError):
    """A file or database of the installation itself cannot be read or written; no caller is at fault."""


class StoreRefused(StorageError):
    """A store elsewhere, such as a bucket, does not let this installation read or write."""


class StorageFull(StorageError):
    """No room is left on a disk, or a quota is used up."""


class WeightsError(LikenessError):
    """A weight file is missing, or its SHA-256 is not the recorded one."""


class ValidationFailed(LikenessError):
    """A blocking expectation over the data failed."""


class NonFiniteLoss(LikenessError):
    """Training met a loss that is not a finite number."""


class ServiceUnavailable(LikenessError):
    """MLflow, S3 or another service did not answer. The only error that flows retry."""


class WorkerLost(LikenessError):
    """The processes that worked on one shard died as often as is allowed."""


class PromotionError(LikenessError):
    """A model version cannot take an alias."""


class Busy(LikenessError):
    """Another process holds the lock."""


class Stopped(LikenessError):
    """Work was ended before it was done: nobody waits for it any more, or its time is up."""
