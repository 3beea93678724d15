"""The XMP packet of a restored picture: plain XML that any program reads (ISO 16684-1; IPTC Photo Metadata 2023.1)."""

from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING
from xml.etree import ElementTree as Xml

if TYPE_CHECKING:
    from restoration.types import Restoration

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
"""IPTC's word for a real picture of which a trained model made a part."""
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
    """

    model_version: str
    mode: str
    request_id: str
    restored_share: float
    original_sha256: str = ""


def restored_share(restoration: "Restoration") -> float:
    """Share of all pixels that are not as they came in, 0..1."""
    return restoration.chroma_area * (1.0 - restoration.untouched)


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
        f"{{{IPTC}}}DigitalSourceType": SOURCE_TYPE,
        f"{{{LIKENESS}}}ModelVersion": facts.model_version,
        f"{{{LIKENESS}}}Mode": facts.mode,
        f"{{{LIKENESS}}}RequestId": facts.request_id,
        f"{{{LIKENESS}}}RestoredShare": f"{facts.restored_share:.6f}",
    }
