import jinja2
import pytest

from pipeline.project.html import template_environment


def test_texts_are_escaped_and_filters_known() -> None:
    environment = template_environment(("pipeline", "templates"), filters={"twice": lambda text: text * 2})
    rendered = environment.from_string("{% if true %}\n  {{ text | twice }}\n{% endif %}\n").render(text="<b>")
    assert rendered == "  &lt;b&gt;&lt;b&gt;\n"


def test_a_missing_name_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="'absent' is undefined"):
        template_environment(("pipeline", "templates")).from_string("{{ absent }}").render()


def test_folders_are_searched_in_turn() -> None:
    environment = template_environment(("serving", "pages"), ("pipeline", "templates"))
    assert environment.loader is not None
    for name, folder in (("report.html.j2", "pipeline/templates"), ("user_study/report.html.j2", "serving/pages")):
        assert str(environment.loader.get_source(environment, name)[1]).endswith(f"{folder}/{name}")
