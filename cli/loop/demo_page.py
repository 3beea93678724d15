"""Write the demo's page from its results: everything that is shown is read from reports, or measured here."""

import shlex
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from math import exp
from pathlib import Path
from statistics import mean

from cli.loop.demo_display import format_seconds
from flows.demo.pictures import Attempt, Person, draw_examples, restore_by_both
from flows.demo.results import Demo, Population, RowTime
from flows.demo.story import STORY, outcome_sentence
from flows.steps.reports import WatchReport
from models.errors import LikenessError
from models.images import Image
from monitoring.ab.decision import Effect
from monitoring.drift.results import Drift
from monitoring.retraining.watch import Verdict
from monitoring.status.wording import describe_column
from pipeline.config.load import Params, load_params
from pipeline.evaluation.examples import data_uri
from pipeline.evaluation.gate_report import GateReport
from pipeline.project.files import write_text
from pipeline.project.paths import Paths
from serving.views.demo_charts import Look, Moved
from serving.views.demo_report import DemoPage, DriftStory, Moment, Shown, TrialStory, render

_PEOPLE, _EXAMPLES, _PROPERTIES = 6, 4, 8
_OUTCOMES = {
    "identity": "likeness",
    "lpips": "LPIPS (visible difference)",
    "recognised": "recognised",
    "latency": "time",
}
_WHAT_CAME = (STORY.known.lower(), STORY.others.lower())


def write_page(paths: Paths, done: Demo) -> None:
    """Write report.html into the workspace.

    Raises:
        LikenessError: the demo did not come as far as its second cycle.
    """
    write_text(paths.root / "report.html", render(compose_page(paths, done)))


def compose_page(paths: Paths, done: Demo) -> DemoPage:
    """Collect what the page shows; restores a few portraits by both versions."""
    params = load_params(paths.params)
    if done.first is None or done.second is None:
        raise LikenessError("the results of two cycles", "fewer", "run likeness demo again")
    drifted = draw_examples(params, paths, STORY.shift, _PEOPLE)
    people = restore_by_both(params, paths, drifted, done.first.version, done.second.version)
    usual = draw_examples(params, paths, "none", _EXAMPLES)
    sentence = outcome_sentence(done)
    return DemoPage(
        title=_title(done),
        lead=f"In this run {sentence} Nobody had to step in; here is what happened, and what it is based on.",
        made=f"{datetime.now(UTC):%d %B %Y}",
        moments=tuple(_moments(done)),
        drift=_drift_story(done, [request.image for request in usual], [request.image for request in drifted]),
        people=tuple(_strip(person, done) for person in people),
        people_words=compare_people(people),
        populations=tuple(_population_cells(group) for group in done.populations),
        populations_words=_populations_words(done),
        gate=done.second.gate,
        gate_words=_gate_words(done.second.gate),
        trial=_trial_story(done, params),
        times=tuple(_time_cells(row) for row in done.rows if row.seconds),
        links=tuple(_links(paths, done)),
        commands=tuple(_commands(paths)),
    )


def _title(done: Demo) -> str:
    if done.drift_to_champion is not None:
        return "Other people came. The model was fitted to them, tested and replaced by itself."
    return "Other people came. The model was fitted to them, but the new one did not replace the old one."


def _moments(done: Demo) -> Iterator[Moment]:
    assert done.first is not None
    assert done.second_watch is not None
    times = {row.key: row.seconds for row in done.rows}
    usual, drifted = _requests(done.first_watch), _requests(done.second_watch)
    yield Moment(
        "A model is made",
        f"Version {done.first.version} learns from portraits of {STORY.known.lower()} and is measured.",
        _took(times, "first-cycle"),
    )
    yield Moment(
        "Photos come in",
        f"{usual} restored. The watch compares them: all as expected.",
        _took(times, "usual-traffic", "first-watch"),
    )
    yield Moment(
        "Others come",
        f"{drifted} of {STORY.others.lower()} are restored; {done.kept} people let us keep a portrait.",
        _took(times, "drifted-traffic", "consent"),
        special=True,
    )
    yield Moment(
        "The watch sees it",
        f"It starts a cycle by itself, which trains version {_version(done)}.",
        _took(times, "second-watch"),
        special=True,
    )
    yield Moment("A test decides", _trial_words(done), _took(times, "ab-test"))


def _requests(report: WatchReport | None) -> str:
    return "no photos" if report is None else f"{report.verdict.requests} photos"


def _version(done: Demo) -> str:
    return "–" if done.second is None else done.second.version


def _trial_words(done: Demo) -> str:
    if done.trial is None:
        return "The new version did not pass the gate, so the old one stays."
    verb = "becomes the model in use" if done.drift_to_champion is not None else "is retired"
    return f"Both versions serve {done.trial_requests} photos; version {_version(done)} {verb}."


def _took(times: dict[str, float], *keys: str) -> str:
    seconds = sum(times.get(key, 0.0) for key in keys)
    return format_seconds(seconds) if seconds else ""


def _drift_story(done: Demo, usual: Sequence[Image], drifted: Sequence[Image]) -> DriftStory:
    assert done.first_watch is not None
    assert done.second_watch is not None
    verdicts = (done.first_watch.verdict, done.second_watch.verdict)
    return DriftStory(
        usual=STORY.usual,
        drifted=STORY.drifted,
        cause=STORY.cause,
        answer=STORY.answer,
        usual_pictures=tuple(data_uri(image) for image in usual[:_EXAMPLES]),
        drifted_pictures=tuple(data_uri(image) for image in drifted[:_EXAMPLES]),
        windows=tuple(_window_cells(*pair) for pair in zip(_WHAT_CAME, verdicts, strict=True)),
        moved=tuple(moved_properties(verdicts[0].drift, verdicts[1].drift, _PROPERTIES)),
    )


def _window_cells(what: str, verdict: Verdict) -> tuple[str, ...]:
    columns = {} if verdict.drift is None else verdict.drift.columns
    drifted = sorted((name for name in columns if columns[name].drifted), key=lambda name: columns[name].p)
    named = f" ({', '.join(describe_column(name) for name in drifted)})" if drifted else ""
    said = "start a cycle" if verdict.triggered else "nothing to do"
    return what, str(verdict.requests), f"{len(drifted)} of {len(columns)}{named}", said


def moved_properties(usual: Drift | None, drifted: Drift | None, count: int) -> list[Moved]:
    """List the properties that moved furthest after the change, those that alarmed first, as multiples of the limit."""
    if drifted is None:
        return []
    before = {} if usual is None else usual.columns
    rows = [
        Moved(
            describe_column(name),
            before[name].effect / before[name].floor if name in before else None,
            column.effect / column.floor,
            column.drifted,
        )
        for name, column in drifted.columns.items()
    ]
    return sorted(rows, key=lambda row: (not row.alarmed, -(row.drifted or 0.0)))[:count]


def _strip(person: Person, done: Demo) -> tuple[Shown, ...]:
    assert done.first is not None
    return (
        Shown("as it was", "never shown to a model", data_uri(person.original)),
        Shown("damaged", "what comes in", data_uri(person.damaged)),
        _shown("before", done.first.version, person.before),
        _shown("after", _version(done), person.after),
    )


def _shown(caption: str, version: str, attempt: Attempt) -> Shown:
    note = f"version {version}"
    if attempt.image is None or attempt.mode == "refuse":
        return Shown(caption, f"{note} refuses: too much would be invented", "")
    if attempt.similarity is None:
        return Shown(caption, f"{note}, in part: the rest is too uncertain", data_uri(attempt.image))
    return Shown(caption, f"{note}, likeness {attempt.similarity:.2f}", data_uri(attempt.image))


def compare_people(people: Sequence[Person]) -> str:
    """Say how alike the restored faces are to the intact ones by both versions, and how little six people prove."""
    pairs = [
        (person.before.similarity, person.after.similarity)
        for person in people
        if person.before.similarity is not None and person.after.similarity is not None
    ]
    series = "people of a fixed series that no model was trained on, not a choice of the best"
    chosen = f"These are the first {len(people)} {series}."
    if not pairs:
        return f"{chosen} None of them was restored as a whole by both versions."
    before, after = (mean(side) for side in zip(*pairs, strict=True))
    change = after - before
    words = (
        "the same to the eye"
        if abs(change) < 0.01
        else "closer to the person"
        if change > 0
        else "further from the person"
    )
    return (
        f"{chosen} Likeness to the intact portrait, 1 being the same: {before:.3f} before and {after:.3f} after on "
        f"average, {words}. Six people show what it looks like; they prove nothing. The proof is the A/B test below."
    )


def _population_cells(group: Population) -> tuple[str, ...]:
    ratios = (f"{one.value:.2f} [{one.low:.2f}, {one.high:.2f}]" for one in (group.identity, group.lpips))
    return (group.name, str(group.people), *ratios)


def _populations_words(done: Demo) -> str:
    lost = [group.name.lower() for group in done.populations if group.identity.low > 1]
    gained = [group.name.lower() for group in done.populations if group.identity.high < 1]
    found = f"Proven to gain: {', '.join(gained) or 'nobody'}. Proven to lose: {', '.join(lost) or 'nobody'}."
    return f"Both versions restore the same damaged portraits; below 1 the new one is better. {found}"


def _gate_words(gate: GateReport) -> str:
    passed = sum(row.verdict == "pass" for row in gate.rows)
    end = "so it may be tried on live traffic" if gate.passed else "so it is not used"
    met = f"{passed} of {len(gate.rows)} criteria"
    return f"The new version meets {met} on portraits of people it was not trained on, {end}."


def _trial_story(done: Demo, params: Params) -> TrialStory | None:
    if done.trial is None:
        return None
    verdict = done.trial.verdict
    looks = [
        _look(effect) for report in done.looks for effect in report.verdict.effects[:1] if effect.effect is not None
    ]
    end = {
        "win": f"Version {verdict.challenger} is proven not to be worse, and becomes the model in use.",
        "loss": f"Version {verdict.challenger} is proven to be worse, and is retired.",
        "guard-rail": f"Version {verdict.challenger} does harm, and is retired at once.",
    }.get(verdict.state, f"Nothing was proven about version {verdict.challenger}; the old one stays.")
    if verdict.state == "win" and params.ab.promote_on == "win":
        end = f"Version {verdict.challenger} is proven to be better, and becomes the model in use."
    return TrialStory(
        sentence=f"{end} It took {done.trial_requests} photos, each restored by one of the two, chosen by lot.",
        reason=f"The verdict in its own words: {verdict.reason}.",
        margin=0.0 if params.ab.promote_on == "win" else params.ab.margin,
        looks=tuple(looks),
        outcomes=tuple(_outcome_cells(effect) for effect in verdict.effects if effect.effect is not None),
    )


def _look(effect: Effect) -> Look:
    return Look(effect.n_champion + effect.n_challenger, effect.effect or 0.0, effect.low or 0.0, effect.high or 0.0)


def _outcome_cells(effect: Effect) -> tuple[str, ...]:
    name = f"{_OUTCOMES.get(effect.name, effect.name)}, {effect.better} is better"
    if effect.name == "latency":  # measured as a logarithm
        ratio = [exp(value or 0.0) for value in (effect.effect, effect.low, effect.high)]
        means = [exp(value or 0.0) for value in (effect.mean_champion, effect.mean_challenger)]
        return name, f"{means[0]:.0f} ms", f"{means[1]:.0f} ms", f"x {ratio[0]:.2f} [{ratio[1]:.2f}, {ratio[2]:.2f}]"
    return (
        name,
        f"{effect.mean_champion:.3f}",
        f"{effect.mean_challenger:.3f}",
        f"{effect.effect:+.3f} [{effect.low:+.3f}, {effect.high:+.3f}]",
    )


def _time_cells(row: RowTime) -> tuple[str, str, str, str]:
    title = f"– {row.title}" if "/" in row.key else row.title
    rate = f"{row.images / row.seconds:.1f}" if row.images and row.seconds else ""
    return title, format_seconds(row.seconds), str(row.images or ""), rate


def _links(paths: Paths, done: Demo) -> Iterator[tuple[str, str, str]]:
    pages = [
        (paths.evaluation_html, "Evaluation", "the new version against four others: tables, charts, worst cases"),
        (paths.validation_docs / "index.html", "Data validation", "what Great Expectations asked of the portraits"),
        (_drift_page(done.first_watch), "Drift report, first window", "Evidently’s report of the usual traffic"),
        (
            _drift_page(done.second_watch),
            "Drift report, second window",
            "Evidently’s report of what drifted",
        ),
        (paths.gate_table, "Gate", "the table as text"),
        (paths.logs / "demo.log", "Log", "all that the tools printed"),
    ]
    for file, title, words in pages:
        if file is not None and file.is_file():
            yield file.resolve().relative_to(paths.root.resolve()).as_posix(), title, words


def _drift_page(report: WatchReport | None) -> Path | None:
    return None if report is None else report.verdict.report_html


def _commands(paths: Paths) -> Iterator[tuple[str, str]]:
    everything = ("likeness", "up", "--root", str(paths.root))
    yield "Everything at once: the service, MLflow, Prefect, drift pages, status", shlex.join(everything)
    stores = (f"sqlite:///{paths.mlflow_database}", "--artifacts-destination", str(paths.mlflow_artifacts))
    yield "MLflow: runs, versions, model cards", shlex.join(("mlflow", "server", "--backend-store-uri", *stores))
    yield "Drift over time", shlex.join(("evidently", "ui", "--workspace", str(paths.evidently_workspace)))
    yield (
        "Prefect: every flow and its steps",
        f"PREFECT_HOME={shlex.quote(str(paths.prefect_home))} prefect server start",
    )
