"""Section for the user study."""

from pipeline.config.base import Section


class StudyParams(Section):
    """How a study counts."""

    counts_in_gate: bool
