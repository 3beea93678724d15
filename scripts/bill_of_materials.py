"""List what is delivered and under which terms: `make sbom` writes build/sbom.json (CycloneDX) and build/licences.md.

Packages are those of the environment, as cyclonedx-py finds them. Added to these are the weights in assets/, with the
licence of their card, and the model files inside packages, with their digests.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from models.assets import ASSETS
from models.package_files import FILES, file_sha256

_ROOT = ASSETS.parent
_TERMS_OF_CARDS = {
    "dlib_whitening": "derived from data under CC BY-NC-SA 4.0 (assets/dlib_whitening.json)",
    "open_dlib_whitening": "derived from portraits in the public domain (assets/open_dlib_whitening.json): Apache-2.0",
    "sampler": "CC BY-NC-SA 4.0 (assets/sampler.md)",
}
"""Of weights whose card has no paragraph "Licence"."""
TERMS_OF_PACKAGE_FILES = {
    "detector": "MIT (YuNet)",
    "sface": "Apache-2.0 (SFace)",
    "dlib_recognition": "public domain (CC0-1.0, dlib)",
    "dlib_landmarks": "research use: trained on iBUG 300-W (dlib)",
    "lpips_alex": "BSD-2-Clause (LPIPS); AlexNet learnt on ImageNet",
    "lpips_vgg": "BSD-2-Clause (LPIPS); VGG learnt on ImageNet",
}
_LICENCE = re.compile(r"^- \*\*Licence\*\*: (.+?)(?=\n- \*\*|\n\n|\Z)", re.DOTALL | re.MULTILINE)


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build"))
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    document = packages(folder / "sbom.json")
    document["components"] += [*weights(), *package_files()]
    (folder / "sbom.json").write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "licences.md").write_text(licence_table(document), encoding="utf-8")
    print(f"{folder / 'sbom.json'}, {folder / 'licences.md'}: {len(document['components'])} components")


def packages(file: Path) -> dict[str, Any]:
    """List the packages of this environment in CycloneDX' JSON; the same environment gives the same list."""
    command = [
        str(Path(sys.executable).with_name("cyclonedx-py")), "environment", sys.executable, "--pyproject",
        str(_ROOT / "pyproject.toml"), "--output-format", "JSON", "--output-reproducible", "--output-file", str(file),
    ]  # fmt: skip
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)  # noqa: S603 - our own command
    document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return document


def weights() -> list[dict[str, Any]]:
    """List the weights that lie in assets/."""
    return [
        _model(f"assets/{file.name}", file_sha256(file), terms(file)) for file in sorted(ASSETS.glob("*.safetensors"))
    ]


def package_files() -> list[dict[str, Any]]:
    """List the model files that lie inside packages."""
    return [_model(one.path, one.sha256, TERMS_OF_PACKAGE_FILES[role]) for role, one in FILES.items()]


def terms(file: Path) -> str:
    """Give the licence of weights, as their card words it.

    Raises:
        KeyError: there is none.
    """
    card = file.with_suffix(".md")
    found = _LICENCE.search(card.read_text(encoding="utf-8")) if card.is_file() else None
    return " ".join(found[1].split()) if found else _TERMS_OF_CARDS[file.stem]


def licence_table(document: dict[str, Any]) -> str:
    """Format what a document lists as a table of Markdown, by name."""
    listed = sorted(document["components"], key=lambda one: str(one["name"]).lower())
    rows = [f"| {one['name']} | {one.get('version', '')} | {_said(one)} |" for one in listed]
    return "\n".join(["| component | version | terms |", "|---|---|---|", *rows, ""])


def _said(component: dict[str, Any]) -> str:
    said = [
        choice.get("expression") or choice["license"].get("id") or str(choice["license"]["name"]).split("\n")[0]
        for choice in component.get("licenses", [])
    ]
    return "; ".join(dict.fromkeys(said)).replace("|", "/") or "not declared by the package"


def _model(name: str, sha256: str, licence: str) -> dict[str, Any]:
    return {
        "bom-ref": f"model:{name}",
        "type": "machine-learning-model",
        "name": name,
        "hashes": [{"alg": "SHA-256", "content": sha256}],
        "licenses": [{"license": {"name": licence}}],
    }


if __name__ == "__main__":
    main()
