"""Exit statuses of our commands (sysexits.h)."""

from models.errors import LikenessError, ServiceUnavailable

FAILURE = 1
USAGE = 2
TEMPORARY = 75


def exit_status(error: LikenessError) -> int:
    """75 where trying again may help, else 1."""
    return TEMPORARY if isinstance(error, ServiceUnavailable) else FAILURE
