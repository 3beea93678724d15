"""Reading untrusted picture files: every outcome is a value, and no header goes unchecked."""

from pipeline.reading.decode import read_bytes
from pipeline.reading.files import read_file
from pipeline.reading.outcome import Accepted, Code, Limits, Rejected

__all__ = ["Accepted", "Code", "Limits", "Rejected", "read_bytes", "read_file"]
