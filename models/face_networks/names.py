"""Names of encoders and detector that come with the project's packages; any other is an insightface pack's."""

SFACE, DLIB, DLIB_OPEN = "sface", "dlib", "dlib-open"
"""`dlib-open` is dlib's network, whitened by portraits in the public domain."""
BUILT_IN = (SFACE, DLIB, DLIB_OPEN)
YUNET = "yunet"
"""The detector."""
