"""Send the alert that the champion was deleted in MLflow; the service goes on with the copy it has."""

import logging
from datetime import UTC, datetime

from models.errors import LikenessError, PromotionError
from monitoring.alerts.send import Alert, alert
from pipeline.config.load import Params
from pipeline.project.paths import Paths

log = logging.getLogger(__name__)


def alert_lost_champion(params: Params, paths: Paths, error: PromotionError, serving: str) -> None:
    """Send the alert, at most once in `alerts.repeat_hours`; a disk or channel that fails stops nobody.

    Args:
        params: of the checkout.
        paths: of the checkout.
        error: what the registry said.
        serving: the version that goes on serving.
    """
    given = Alert(
        code="champion-lost",
        title="The champion was deleted from the registry",
        what_happened=f"expected {error.expected} and got {error.got}; version {serving} goes on serving from its copy",
        what_to_do=error.remedy,
        facts={"serving": serving},
    )
    try:
        alert(params, paths, given, datetime.now(UTC))
    except (LikenessError, OSError) as failure:
        log.warning("the alert was not sent: %s", failure)
