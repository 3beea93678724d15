"""Sign C2PA manifests (C2PA 2.2): who restored a picture, from which original, with which model.

The original is named by its SHA-256 only: neither its bytes nor a thumbnail nor its own metadata go into the output.
"""

import io
import threading
from typing import Any

from c2pa import Builder, C2paError, C2paSignerInfo, Context, Reader, Signer

from models.errors import ConfigError, DataError
from pipeline.project.paths import Paths
from restoration.provenance.made import WORDS, Work
from restoration.provenance.signing_keys import KeyPair, key_pair
from restoration.provenance.xmp import MarkFacts, product_version

_REMEDY = "set LIKENESS_C2PA_CERT and LIKENESS_C2PA_KEY to a matching pair, or unset both"


class Seal:
    """A certificate chain with its key, loaded once; signing takes some milliseconds and is thread-safe."""

    def __init__(self, keys: KeyPair) -> None:
        self._context = Context.from_dict(settings(keys.anchor))
        self._lock = threading.Lock()
        try:
            self._signer = Signer.from_info(C2paSignerInfo(keys.algorithm, keys.chain, keys.key, None))
        except C2paError as error:
            raise ConfigError("a certificate and key that C2PA admits", str(error), _REMEDY) from error

    def sign(self, file: bytes, media_type: str, facts: MarkFacts) -> bytes:
        """The file with a manifest around its unchanged pixels.

        Raises:
            ConfigError: the certificate does not suit C2PA (wrong key usage, expired).
        """
        out = io.BytesIO()
        try:
            with self._lock, Builder(manifest(facts), context=self._context) as builder:
                builder.sign(self._signer, media_type, io.BytesIO(file), out)
        except C2paError as error:
            raise ConfigError("a certificate and key that C2PA admits", str(error), _REMEDY) from error
        return out.getvalue()

    def read(self, file: bytes, media_type: str) -> tuple[str, dict[str, Any]]:
        """State (`Trusted`, `Valid`, `Invalid`) and active manifest of a signed file; trusts this seal's own anchor.

        Raises:
            DataError: there is no manifest in it.
        """
        try:
            with Reader(media_type, io.BytesIO(file), context=self._context) as reader:
                return str(reader.get_validation_state()), reader.get_active_manifest() or {}
        except C2paError as error:
            raise DataError("a picture with a C2PA manifest", str(error), "take the file as it was written") from error


def open_seal(paths: Paths) -> Seal:
    """The seal of this installation: LIKENESS_C2PA_CERT and LIKENESS_C2PA_KEY, else one made once in state/keys.

    Raises:
        ConfigError: only one of the two is set, they cannot be read, or C2PA does not admit them.
    """
    return Seal(key_pair(paths))


def settings(anchor: str) -> dict[str, Any]:
    """Of the C2PA library: no network, no thumbnails, no actions beside ours; `anchor` (PEM) is trusted on reading."""
    own_words = {
        name: {"enabled": False} for name in ("auto_created_action", "auto_opened_action", "auto_placed_action")
    }
    return {
        "verify": {
            "verify_after_sign": False,
            "verify_trust": True,
            "remote_manifest_fetch": False,
            "ocsp_fetch": False,
        },
        "trust": {"trust_anchors": anchor},
        "builder": {"thumbnail": {"enabled": False}, "actions": own_words},
    }


def manifest(facts: MarkFacts) -> dict[str, Any]:
    """The manifest's definition: opened an original, then what was done to it, each with what made its pixels."""
    agent = {"name": "Likeness", "version": product_version()}
    actions: list[dict[str, Any]] = [{"action": "c2pa.opened", "parameters": {"ingredientIds": ["original"]}}]
    actions += [_action(work, facts) for work in facts.works]
    return {
        "claim_version": 2,
        "claim_generator_info": [agent],
        "title": f"restored {facts.request_id}".strip(),
        "ingredients": [_original(facts)],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": actions}}],
    }


def _action(work: Work, facts: MarkFacts) -> dict[str, Any]:
    """What Likeness did, with what made the pixels that it changed."""
    parameters: dict[str, Any] = {}
    if work == "lifted" and facts.veil is not None:
        parameters["likeness.veil"] = round(facts.veil, 3)
    if work == "generated":
        parameters["likeness.model_version"] = facts.model_version
    own = {
        "likeness.mode": facts.mode,
        "likeness.request_id": facts.request_id,
        "likeness.restored_share": round(facts.restored_share, 6),
    }
    return {
        "action": WORDS[work].action,
        "digitalSourceType": WORDS[work].source_type,
        "softwareAgent": {"name": "Likeness", "version": product_version()},
        "parameters": parameters | own,
    }


def _original(facts: MarkFacts) -> dict[str, Any]:
    instance = {"instance_id": f"urn:sha256:{facts.original_sha256}"} if facts.original_sha256 else {}
    return {"label": "original", "title": "original", "relationship": "parentOf", **instance}
