"""Content negotiation, against cases of RFC 9110 and against what any header must lead to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.http.problem import HttpProblem
from serving.http.request_form import chosen

OFFERS = ("application/json", "image/webp", "image/png", "application/zip")


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("image/*", "image/webp"),
        ("image/png", "image/png"),
        ("IMAGE/PNG ; q=0.4 , application/zip;q=0.5", "application/zip"),
        ("image/*;q=0.8, image/png", "image/png"),
        ("image/*, image/webp;q=0.1", "image/png"),  # the most specific range counts
        ("*/*;q=0.1, image/png;q=0.0", "application/json"),
        ("text/html, application/xhtml+xml, */*;q=0.8", "application/json"),
        ("image/png;q=oops, application/zip;q=0.1", "application/zip"),
        ("image/avif, image/apng, image/*;q=0.8", "image/webp"),
        ("application/json; charset=utf-8", "application/json"),
        ("image/png;level=1;q=0.5, application/zip;q=0.4", "image/png"),
        (" , ", "application/json"),
    ],
)
def test_the_best_offer_wins(accept: str, expected: str) -> None:
    assert chosen(accept, OFFERS) == expected


@pytest.mark.parametrize("accept", ["text/html", "image/png;q=0", "*/*;q=0", "audio/*, text/*"])
def test_nothing_acceptable(accept: str) -> None:
    with pytest.raises(HttpProblem, match="Accept to admit one of application/json, image/webp") as caught:
        chosen(accept, OFFERS)
    assert caught.value.status_code == 406


@given(st.lists(st.tuples(st.sampled_from((*OFFERS, "image/*", "*/*", "text/a")), st.integers(0, 10)), max_size=6))
def test_no_offer_beats_the_chosen_one(ranges: list[tuple[str, int]]) -> None:
    """Against a plain reading of the RFC: by offer, the quality of its most specific range."""
    header = ", ".join(f"{media};q={quality / 10}" for media, quality in ranges)

    def liking(offer: str) -> int:
        family = offer.split("/", maxsplit=1)[0] + "/*"
        for pattern in (offer, family, "*/*"):
            if any(media == pattern for media, _ in ranges):
                return max(quality for media, quality in ranges if media == pattern)
        return 0 if ranges else 10

    if max(map(liking, OFFERS)) == 0:
        with pytest.raises(HttpProblem):
            chosen(header, OFFERS)
    else:
        assert liking(chosen(header, OFFERS)) == max(map(liking, OFFERS))
