"""The XMP packet of a restored picture: plain XML that any program reads (ISO 16684-1; IPTC Photo Metadata 2023.1)."""

from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING
from xml.etree import ElementTree as Xml

from restoration.provenance.made import Work, source_type, works

if TYPE_CHECKING:
    from restoration.types import Restoration

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XMP = "http://ns.adobe.com/xap/1.0/"
IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
LIKENESS = "urn:likeness:xmp:1.0#"
_META = "adobe:ns:meta/"
_PACKET = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>{}<?xpacket end="r"?>'

for _prefix, _space in {"rdf": RDF, "xmp": XMP, "Iptc4xmpExt": IPTC, "likeness": LIKENESS, "x": _META}.items():
    Xml.register_namespace(_prefix, _space)


@dataclass(frozen=True)
class MarkFacts:
    """What a mark says: who made the picture, how, and how much of it.

    `restored_share`: of all pixels, 0..1. `original_sha256`: of the file that came in, hexadecimal. "" = not told.
    `veil`: how much of a veil of fading was lifted, 0..1; None for none. `generated`: whether a trained model made any
    of its pixels; where nobody knows, it is taken for granted.
    """

    model_version: str
    mode: str
    request_id: str
    restored_share: float
    original_sha256: str = ""
    veil: float | None = None
    generated: bool = True

    @property
    def works(self) -> tuple[Work, ...]:
        """What was done; a model is named where it generated something, and nowhere else."""
        return works(self.mode, self.veil, self.generated)


def facts_of(restoration: "Restoration", model_version: str, original_sha256: str, request_id: str = "") -> MarkFacts:
    """What the mark of a restored photo says; the model is that which was there to fill it."""
    return MarkFacts(
        model_version,
        restoration.mode,
        request_id,
        restored_share(restoration),
        original_sha256,
        veil=restoration.veil,
        generated=restoration.generated,
    )


def restored_share(restoration: "Restoration") -> float:
    """Share of all pixels that are not as they came in, 0..1: all of them where a veil was lifted."""
    return 1.0 if restoration.veil is not None else restoration.chroma_area * (1.0 - restoration.untouched)


@cache
def product_version() -> str:
    """Version of this installation; `0` in a checkout that is not installed."""
    try:
        return version("likeness")
    except PackageNotFoundError:
        return "0"


def packet(facts: MarkFacts) -> bytes:
    """The packet, UTF-8, a new one: nothing of the input's own metadata goes in."""
    root = Xml.Element(f"{{{_META}}}xmpmeta")
    about = Xml.SubElement(Xml.SubElement(root, f"{{{RDF}}}RDF"), f"{{{RDF}}}Description", {f"{{{RDF}}}about": ""})
    for name, value in _properties(facts).items():
        if value:
            Xml.SubElement(about, name).text = value
    return _PACKET.format(Xml.tostring(root, encoding="unicode")).encode()


def _properties(facts: MarkFacts) -> dict[str, str]:
    return {
        f"{{{XMP}}}CreatorTool": f"Likeness {product_version()}",
        f"{{{IPTC}}}DigitalSourceType": source_type(facts.works),
        f"{{{LIKENESS}}}ModelVersion": facts.model_version if "generated" in facts.works else "",
        f"{{{LIKENESS}}}Mode": facts.mode,
        f"{{{LIKENESS}}}RequestId": facts.request_id,
        f"{{{LIKENESS}}}RestoredShare": f"{facts.restored_share:.6f}",
        f"{{{LIKENESS}}}Veil": "" if facts.veil is None else f"{facts.veil:.3f}",
    }
