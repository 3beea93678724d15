"""The certificate chain and key that sign manifests: given, or made once (C2PA 2.2, section 14.5)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509 import load_pem_x509_certificates
from filelock import FileLock

from models.errors import ConfigError
from pipeline.project.environment import environment
from pipeline.project.files import write_secret
from pipeline.project.paths import Paths

_DAYS = 3650  # without a time-stamping service a signature lives as long as its certificate
_AUTHORITY = "Likeness, this installation"


def make_chain(now: datetime) -> tuple[bytes, bytes]:
    """A new signer's certificate with the authority that issued it, and the signer's key, as PEM.

    C2PA demands that the signer is no authority, may sign, and has an extended key usage from its list (here
    emailProtection); it refuses self-signed signers. The authority's key is forgotten at once: nothing else can ever be
    issued in its name.
    """
    authority, signer = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    chain = [_certificate("Likeness", signer, authority, now), _certificate(_AUTHORITY, authority, authority, now)]
    secret = signer.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return b"".join(each.public_bytes(Encoding.PEM) for each in chain), secret


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: ec.EllipticCurvePrivateKey, now: datetime
) -> x509.Certificate:
    is_authority = key is issuer
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(_AUTHORITY))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=_DAYS))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(_usage(is_authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False)
    )
    if not is_authority:
        purposes = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purposes, critical=True)
    return builder.sign(issuer, hashes.SHA256())


def _name(common: str) -> x509.Name:
    organisation = x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Likeness")
    return x509.Name([organisation, x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])


def _usage(is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority, key_cert_sign=is_authority, crl_sign=is_authority,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


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
