"""Names of the identity encoders that come with the project's packages; every other name is an insightface pack's."""

SFACE, DLIB = "sface", "dlib"
BUILT_IN = (SFACE, DLIB)
