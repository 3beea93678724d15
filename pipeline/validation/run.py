"""Run expectations in an ephemeral context of Great Expectations: nothing is configured on disk."""

import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import great_expectations as gx
import pandas as pd
from great_expectations.checkpoint import UpdateDataDocsAction
from great_expectations.data_context.types.base import ProgressBarsConfig

from pipeline.validation.offline_docs import take_offline

logging.getLogger("great_expectations").setLevel(logging.WARNING)  # its import sets INFO
_SITE = "portraits"
_EXAMPLES = 3


def run_suite(
    table: pd.DataFrame, expectations: Sequence[Any], says: Sequence[str], severities: Sequence[str], docs: Path | None
) -> list[dict[str, Any]]:
    """Validate a table and write Data Docs.

    Args:
        table: without lists.
        expectations: of Great Expectations.
        says: what each one expects, for the Data Docs.
        severities: `critical` or `warning`, for the Data Docs.
        docs: folder that the HTML goes to (`index.html` is the entry), or None for none.

    Returns:
        One result per expectation, in their order, as plain values: `success`, `result`, `exception_info`.
    """
    for index, (expectation, text, severity) in enumerate(zip(expectations, says, severities, strict=True)):
        expectation.meta, expectation.description, expectation.severity = {"index": index}, text, severity
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    _drop_default_site(context)
    assets = context.data_sources.add_pandas("rows")
    batch = assets.add_dataframe_asset("portraits").add_batch_definition_whole_dataframe("all")
    suite = context.suites.add(gx.ExpectationSuite(name="portraits", expectations=list(expectations)))
    validation = context.validation_definitions.add(gx.ValidationDefinition(name="portraits", data=batch, suite=suite))
    checkpoint = gx.Checkpoint(name="portraits", validation_definitions=[validation], actions=_actions(context, docs))
    outcome = context.checkpoints.add(checkpoint).run(batch_parameters={"dataframe": table})
    if docs is not None:
        take_offline(docs)
    (result,) = outcome.run_results.values()
    entries = {entry["expectation_config"]["meta"]["index"]: entry for entry in result.to_json_dict()["results"]}
    return [entries[index] for index in range(len(expectations))]


def describe_observed(entry: Mapping[str, Any]) -> str:
    """Describe what was observed, in a few words."""
    result = entry["result"]
    value = result.get("observed_value")
    if value is not None and not isinstance(value, list):
        return str(value)
    return "as expected" if entry["success"] else _otherwise(entry, result)


def _otherwise(entry: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    if mismatched := result.get("details", {}).get("mismatched"):
        return "; ".join(f"{kind}: {', '.join(sorted(names))}" for kind, names in mismatched.items())
    if result.get("unexpected_count"):
        return f"{result['unexpected_count']} of {result['element_count']} otherwise ({_examples(result)})"
    if missing := result.get("partial_missing_list"):
        return f"none of {', '.join(sorted(missing))}"
    raised = _exception(entry.get("exception_info") or {})
    return f"nothing that can be judged ({raised})" if raised else "otherwise"


def _examples(result: Mapping[str, Any]) -> str:
    entries = dict.fromkeys(str(value) for value in result.get("partial_unexpected_list", []))
    return ", ".join(list(entries)[:_EXAMPLES]) or "nothing there"


def _exception(info: Mapping[str, Any]) -> str:
    """Find the first message; Great Expectations nests these by metric, or not."""
    for entry in (info, *(value for value in info.values() if isinstance(value, dict))):
        if entry.get("raised_exception"):
            return str(entry.get("exception_message")).splitlines()[0][:160]
    return ""


def _actions(context: Any, docs: Path | None) -> list[Any]:  # noqa: ANN401 - of Great Expectations
    if docs is None:
        return []
    context.add_data_docs_site(_SITE, _site_config(docs))
    return [UpdateDataDocsAction(name="docs", site_names=[_SITE])]


def _drop_default_site(context: Any) -> None:  # noqa: ANN401 - of Great Expectations
    """Delete the Data Docs site that an ephemeral context makes in the temporary folder and leaves there."""
    for name, site in dict(context.variables.data_docs_sites).items():
        shutil.rmtree(site["store_backend"]["base_directory"], ignore_errors=True)
        context.delete_data_docs_site(name)


def _site_config(docs: Path) -> dict[str, Any]:
    store = {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(docs.resolve())}
    index = {"class_name": "DefaultSiteIndexBuilder"}
    return {"class_name": "SiteBuilder", "site_index_builder": index, "store_backend": store}
