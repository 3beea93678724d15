"""The certificate chain and key that sign manifests: given, or made once for this installation."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509 import load_pem_x509_certificates
from filelock import FileLock

from models.errors import ConfigError
from pipeline.project.environment import environment
from pipeline.project.paths import Paths
from pipeline.project.secret_files import write_secret
from restoration.provenance.certificate_chain import make_chain

_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
_NAMES = "LIKENESS_C2PA_CERT and LIKENESS_C2PA_KEY"


@dataclass(frozen=True)
class KeyPair:
    """PEM: `chain` (the signer's certificate first) and private `key`; `anchor` is the chain's last certificate."""

    chain: bytes
    key: bytes
    anchor: str
    algorithm: str


def key_pair(paths: Paths) -> KeyPair:
    """The pair that the environment names, else the one in state/keys, made on first use.

    Raises:
        ConfigError: half a pair, an unreadable file, or a kind of key that C2PA does not know.
    """
    where = environment()
    if (where.c2pa_cert is None) != (where.c2pa_key is None):
        raise ConfigError(f"both {_NAMES}", "one of them", "set both or none")
    if where.c2pa_cert is not None and where.c2pa_key is not None:
        return _read(where.c2pa_cert, where.c2pa_key)
    return _read(*_own(paths))


def _own(paths: Paths) -> tuple[Path, Path]:
    chain, key = paths.keys / "c2pa-chain.pem", paths.keys / "c2pa.key"
    paths.keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(paths.keys / "c2pa.lock"):
        if not (chain.is_file() and key.is_file()):
            certificates, secret = make_chain(datetime.now(UTC))
            write_secret(key, secret)
            chain.write_bytes(certificates)
    return chain, key


def _read(chain: Path, key: Path) -> KeyPair:
    try:
        certificates, secret = chain.read_bytes(), key.read_bytes()
        anchor = load_pem_x509_certificates(certificates)[-1].public_bytes(Encoding.PEM).decode()
        return KeyPair(certificates, secret, anchor, _algorithm(secret))
    except (OSError, ValueError) as error:
        raise ConfigError(f"PEM files at {_NAMES}", str(error), "point them at a chain and its key") from error


def _algorithm(secret: bytes) -> str:
    """C2PA's name for what this kind of key signs with.

    Raises:
        ValueError: not a key, or of a kind that C2PA has no name for.
    """
    key = load_pem_private_key(secret, password=None)
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES:
        return _CURVES[key.curve.name]
    if isinstance(key, rsa.RSAPrivateKey):
        return "ps256"
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    raise ValueError(f"{type(key).__name__}, which C2PA does not admit")
