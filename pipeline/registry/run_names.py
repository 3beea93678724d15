"""Rename the run of a version when more has come of it than its cycle could know."""

from pipeline.project.paths import Paths
from pipeline.registry.client import connect, translate_outages
from pipeline.registry.versions import find_version


def name_run_of_version(paths: Paths, model_name: str, version: str, outcome: str) -> None:
    """Replace the outcome in the name of the run that made a version; nothing where no run is on record.

    Args:
        paths: the checkout.
        model_name: in the registry.
        version: its number.
        outcome: a few words, as "promoted to champion".

    Raises:
        PromotionError: no such version.
        ServiceUnavailable: MLflow does not answer.
    """
    client = connect(paths)
    run_id = find_version(client, model_name, version).run_id
    if not run_id:
        return
    with translate_outages(client.tracking_uri):
        name = client.get_run(run_id).info.run_name.partition(": ")[0]
        client.update_run(run_id, name=f"{name}: {outcome}")
