"""What a damaged portrait still says; registered versions import `Damaged` from here."""

from models.evidence.evidence import Damaged

__all__ = ["Damaged"]
