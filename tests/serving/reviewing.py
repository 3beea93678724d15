"""Kept restorations on a running service, left there as the service leaves them but without computing any."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from monitoring.log.rows import Feedback
from serving.privacy.personal_data import KeptPictures
from tests.monitoring.traffic import row
from tests.serving.site import Site, damaged, portrait

BASIS = "consent, form 7"
_NUMBERS = count(1)


class Kept:
    """Keeps restorations of made-up subjects, and forgets them all again."""

    def __init__(self, site: Site) -> None:
        self._site, self._subjects = site, dict[str, str]()

    def add(self, said: Feedback | None = None, *, basis: str = BASIS, references: int = 0, **figures: Any) -> str:
        """One restoration, now; returns its request_id. `figures`: of its row, `days` ago."""
        context, request_id = self._site.service.context, f"{next(_NUMBERS):032x}"
        now = datetime.now(UTC) - timedelta(days=figures.pop("days", 0))
        image, mask = damaged()
        pictures = KeptPictures(image, mask, portrait(), (portrait(),) * references)
        person = context.pictures.person(self.subject(request_id), context.pictures.deletions())
        if context.pictures.keep(person, basis, pictures, request_id, now):
            context.log.record("keeping", request_id, {"references": references}, now)
        pseudonym = context.pictures.pseudonym(self.subject(request_id))
        context.log.append([row(request_id=request_id, time=now, subject=pseudonym, **figures)])
        if said is not None:
            context.log.feedback(request_id, said, now)
        return request_id

    def subject(self, request_id: str) -> str:
        """Who the restoration is of."""
        return self._subjects.setdefault(request_id, f"subject {request_id}")

    def forget(self) -> None:
        """Delete everything that was kept."""
        for subject in self._subjects.values():
            self._site.service.context.pictures.forget(subject)
