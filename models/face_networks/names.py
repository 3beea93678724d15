"""Names of encoders and detector that come with the project's packages; any other is an insightface pack's."""

SFACE, DLIB = "sface", "dlib"
BUILT_IN = (SFACE, DLIB)
YUNET = "yunet"
"""The detector."""
