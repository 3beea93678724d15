"""The document of the API is valid, has an example everywhere, and each example is true to its schema."""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from prometheus_client.parser import text_string_to_metric_families

from tests.serving.site import Site, form

FIGURES = {
    "likeness_requests": {"mode", "arm"},
    "likeness_rejected": {"reason"},
    "likeness_request_seconds": {"arm"},
    "likeness_stage_seconds": {"stage"},
    "likeness_queue_depth": set(),
    "likeness_batch_faces": set(),
    "likeness_cpu_seconds": {"work"},
    "likeness_identity_similarity": {"encoder", "arm"},
    "likeness_identity_risk": set(),
    "likeness_feedback": {"recognised"},
    "likeness_reviews": {"same_person"},
    "likeness_model_info": {"arm", "version"},
    "likeness_reloads": {"outcome"},
    "likeness_registry_up": set(),
    "likeness_recognition_accuracy": set(),
    "likeness_watch_last_success_timestamp_seconds": set(),
    "likeness_drifted_columns": set(),
    "likeness_champion_age_seconds": set(),
}
"""Names, as dashboards know them, and labels."""


@pytest.fixture(scope="module")
def document(site: Site) -> dict[str, Any]:
    with site.client("") as client:
        found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def contents(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every JSON body of every API address."""
    for path, methods in document["paths"].items():
        for method, entry in methods.items():
            bodies = [*entry.get("responses", {}).items(), ("request", entry.get("requestBody", {}))]
            for status, body in bodies:
                for media_type, content in body.get("content", {}).items():
                    if "json" in media_type and path.startswith("/v1/") and path != "/v1/status":
                        yield f"{method} {path} {status}", content


def test_it_is_valid_openapi(document: dict[str, Any]) -> None:
    validate(document)


def test_every_address_has_examples_that_are_true_to_their_schema(document: dict[str, Any]) -> None:
    seen = 0
    for place, content in contents(document):
        schema = content["schema"]
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        shown = content.get("example") or next(iter(schema.get("examples", [])), None)
        assert shown, place
        whole = schema | {"components": document["components"]}
        Draft202012Validator(whole).validate(shown)
        seen += 1
    assert seen > 30


def test_links_lead_to_operations(document: dict[str, Any]) -> None:
    """By them a client, or a program that tries the API, finds what can be done with an answer."""
    operations = {entry["operationId"] for methods in document["paths"].values() for entry in methods.values()}
    links = document["paths"]["/v1/restorations"]["post"]["responses"]["200"]["links"]
    assert set(links) == {"outcome", "feedback"}
    assert {link["operationId"] for link in links.values()} <= operations


def test_errors_that_happen_are_documented(site: Site, document: dict[str, Any]) -> None:
    documented = document["paths"]["/v1/restorations"]["post"]["responses"]
    with site.client() as client:
        for files, headers in (({}, {}), (form(), {"Accept": "text/html"}), ({"image": b"x"}, {})):
            answer = client.post("/v1/restorations", files=files, headers=headers)
            assert str(answer.status_code) in documented
            schema = documented[str(answer.status_code)]["content"]["application/problem+json"]["schema"]
            Draft202012Validator(schema).validate(answer.json())


def test_what_is_answered_is_true_to_its_schema(site: Site, document: dict[str, Any]) -> None:
    with site.client() as client:
        found = client.post("/v1/restorations", files=form()).json()
        stored = client.get(f"/v1/restorations/{found['request_id']}").json()
    for name, answer in (("Outcome", found), ("StoredOutcome", stored)):
        schema = document["components"]["schemas"][name] | {"components": document["components"]}
        Draft202012Validator(schema).validate(answer)


def test_metrics_are_those_that_dashboards_know(site: Site) -> None:
    with site.client() as client:
        request_id = client.post("/v1/restorations", files=form()).json()["request_id"]
        client.post(f"/v1/restorations/{request_id}/feedback", json={"recognised": True})
        client.post("/v1/restorations", files={"image": b"x"})
        families = {family.name: family for family in text_string_to_metric_families(client.get("/metrics").text)}
    for name, labels in FIGURES.items():
        assert name in families
        for sample in families[name].samples:
            assert set(sample.labels) - {"le"} == labels
    stages = {sample.labels["stage"] for sample in families["likeness_stage_seconds"].samples}
    assert stages == {"queue", "decode", "mask", "restore", "verify", "encode", "log"}
    served = families["likeness_requests"].samples
    assert sum(sample.value for sample in served if sample.labels == {"mode": "inpaint", "arm": "champion"}) >= 1
    seconds = {s.labels["work"]: s.value for s in families["likeness_cpu_seconds"].samples}
    assert 0 < seconds["verification"] < seconds["restoration"]
