"""`models.load` under the name by which registered versions import it."""

from models.load import load_restorer

__all__ = ["load_restorer"]
