"""Every route with every credential, and the time that a wrong token takes."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from pipeline.project.paths import Paths
from scripts.finding import Finding, counted
from scripts.hostile.victim import Siege, Victim
from serving.http.auth import ROLES, TokenStore, new_token, read_tokens

OPEN_PATHS = ("/", "/review", "/settings.js", "/docs", "/status", "/healthz", "/readyz", "/metrics", "/openapi.json")
"""Without a token, since nothing on them is about a person."""
_NEEDED = {"/v1/reviews": "review", "/pictures": "review", "/review": "review", "/v1/subjects": "admin"}
"""Role by a part of the address; others below /v1 need `restore`, but for /v1/status."""
_OPEN_BELOW_V1 = frozenset({"/v1/status"})
_TRIALS, _ROUNDS = 4000, 5
_APART = 0.06
"""Of the probability that one kind of wrong token takes longer than another, from one half."""


def attack(siege: Siege) -> list[Finding]:
    """Attack by credentials."""
    return [try_routes(siege.victim, siege.work), _timing(siege.victim)]


def routes(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    """List method, address and the role that it needs ("" for none) of an OpenAPI document and of the pages."""
    found = [("GET", path, "") for path in OPEN_PATHS]
    for path, methods in document["paths"].items():
        if path.startswith("/v1/"):
            address = path.replace("{id}", "0" * 32)
            found += [(method.upper(), address, needed_role(path)) for method in methods]
    return found


def needed_role(path: str) -> str:
    """Give the role that an address below /v1 needs."""
    if path in _OPEN_BELOW_V1:
        return ""
    return next((role for part, role in _NEEDED.items() if path.startswith(part) or path.endswith(part)), "restore")


def credentials(victim: Victim, other: Paths) -> dict[str, tuple[str, dict[str, Any]]]:
    """What a caller may send instead of a token, and the role that it stands for ("" for none)."""
    tokens = victim.tokens
    admin, (_, identity, secret) = tokens["admin"], tokens["admin"].split("_", 2)
    digests = {token.id: token.sha256 for token in read_tokens(victim.paths.tokens)}
    foreign = new_token(other, "admin", "of another installation", datetime.now(UTC))
    headers: dict[str, tuple[str, list[tuple[str, str]]]] = {
        role: (role, [("Authorization", f"Bearer {tokens[role]}")]) for role in ROLES
    }
    wrong: dict[str, list[tuple[str, str]]] = {
        "none": [],
        "empty": [("Authorization", "")],
        "no scheme": [("Authorization", admin)],
        "basic": [("Authorization", f"Basic {admin}")],
        "no token": [("Authorization", "Bearer")],
        "revoked": [("Authorization", f"Bearer {tokens['revoked']}")],
        "another installation's": [("Authorization", f"Bearer {foreign}")],
        "another's secret": [("Authorization", f"Bearer lk_{identity}_{tokens['restore'].split('_', 2)[2]}")],
        "another's id": [("Authorization", f"Bearer lk_{tokens['restore'].split('_')[1]}_{secret}")],
        "no secret": [("Authorization", f"Bearer lk_{identity}_")],
        "cut": [("Authorization", f"Bearer {admin[:-1]}")],
        "longer": [("Authorization", f"Bearer {admin}A")],
        "capitals": [("Authorization", f"Bearer {admin.upper()}")],
        "the digest": [("Authorization", f"Bearer lk_{identity}_{digests[identity]}")],
        "a cookie": [("Cookie", f"Authorization=Bearer {admin}; token={admin}")],
        "another header": [("X-Authorization", f"Bearer {admin}"), ("X-Api-Key", admin)],
        "said by a proxy": [("X-Forwarded-User", "admin"), ("X-Remote-User", "admin")],
        "64 KiB": [("Authorization", f"Bearer {'lk_' + 'A' * 60000}")],
    }  # fmt: skip
    headers |= {name: ("", given) for name, given in wrong.items()}
    asked: dict[str, tuple[str, dict[str, Any]]] = {
        name: (role, {"headers": given}) for name, (role, given) in headers.items()
    }
    asked["in the address"] = ("", {"params": {"token": admin, "access_token": admin}})
    return asked


def try_routes(victim: Victim, work: Path) -> Finding:
    """Nobody gets further than their role, and whoever has it is not kept out."""
    order, misses, trials = ("", *ROLES), list[str](), 0
    with httpx.Client(base_url=victim.served.address, timeout=60, trust_env=False) as client:
        found = routes(client.get("/openapi.json").json())
        given = credentials(victim, Paths(work / "elsewhere"))
        for method, path, needed in found:
            for name, (role, how) in given.items():
                status = client.request(method, path, **how).status_code
                trials += 1
                allowed = order.index(role) >= order.index(needed)
                expected = status not in {401, 403} if allowed else status == (403 if role else 401)
                if status >= 500 or not (expected or status in {400, 431}):
                    misses.append(f"{method} {path} with {name}: {status}")
    return counted(f"{len(found)} routes x {len(given)} credentials", "0 wrong answers", misses, trials)


def _timing(victim: Victim) -> Finding:
    """The time that a wrong token takes says nothing of whether its id exists, or how much of its secret is right."""
    store = TokenStore(victim.paths)
    lk, identity, secret = victim.tokens["admin"].split("_", 2)
    changed = "B" if secret[0] != "B" else "C"
    kinds = {
        "unknown id": f"{lk}_{'0' * 8}_{secret}",
        "wrong from the first character": f"{lk}_{identity}_{changed}{secret[1:]}",
        "wrong in the last character": f"{lk}_{identity}_{secret[:-1]}{'B' if secret[-1] != 'B' else 'C'}",
        "revoked": victim.tokens["revoked"],
    }
    probability = dict.fromkeys(kinds, 0.5)
    for name, token in kinds.items():
        rounds = [longer(store.find, kinds["wrong from the first character"], token, seed) for seed in range(_ROUNDS)]
        probability[name] = float(np.median(rounds))
    far = {name: value for name, value in probability.items() if abs(value - 0.5) > _APART}
    worst = max(abs(value - 0.5) for value in probability.values())
    asked = f"P(longer) within 0.5 +- {_APART}"
    observed = f"{len(far)} / {len(kinds)} kinds, at most 0.5 +- {worst:.3f}"
    return Finding("time of wrong tokens", asked, observed, not far, tuple(f"{k}: {v:.3f}" for k, v in far.items()))


def longer(find: Callable[[str], object], one: str, other: str, seed: int) -> float:
    """Probability that `other` takes longer than `one`, from calls in random order; ties count half."""
    rng = np.random.default_rng(seed)
    taken: tuple[list[int], list[int]] = ([], [])
    for which in rng.permutation(np.repeat([0, 1], _TRIALS // _ROUNDS)):
        began = time.perf_counter_ns()
        find(other if which else one)
        taken[which].append(time.perf_counter_ns() - began)
    first, second = np.sort(taken[0]), np.asarray(taken[1])
    below, up_to = (np.searchsorted(first, second, side=side) for side in ("left", "right"))
    return float((below + up_to).mean() / (2 * len(first)))
