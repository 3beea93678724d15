"""The folder of the pages' files, and the settings that Python gives to a page's scripts."""

import json
from collections.abc import Mapping
from pathlib import Path

from starlette.responses import Response

PAGES = Path(__file__).resolve().parent.parent / "pages"
"""A folder for each page and `shared`; `/static/FOLDER/NAME` serves them."""


def settings_module(settings: Mapping[str, object]) -> Response:
    """Make the JavaScript module `settings.js`, which exports `settings`; browsers ask for it every time."""
    text = f"export default {json.dumps(settings)};\n"
    return Response(text, media_type="text/javascript", headers={"Cache-Control": "no-cache"})
