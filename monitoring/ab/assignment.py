"""Assign subjects to arms by a keyed hash: the same arm each time, independent between experiments."""

import hashlib

from monitoring.log.rows import Arm

_BYTES = 8


def uniform_of(subject: str, experiment: str) -> float:
    """Hash a subject to [0, 1) for this experiment: BLAKE2b of the subject under a key made of the experiment.

    Without the key, who is in the challenger's arm of one test would be there in all, and what the last challenger
    did to them would be attributed to this one.
    """
    key = hashlib.sha256(experiment.encode()).digest()
    digest = hashlib.blake2b(subject.encode(), key=key, digest_size=_BYTES).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2.0**53  # as many bits as a double holds: never rounded up to 1


def arm_of(subject: str, experiment: str, share: float) -> Arm:
    """Choose the arm that serves `subject`; `share` in [0, 1] is the challenger's.

    Raising the share only moves subjects from champion to challenger, never back.
    """
    return "challenger" if uniform_of(subject, experiment) < share else "champion"
