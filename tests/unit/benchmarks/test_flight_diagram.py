"""The drawing of a page's flights."""

from xml.etree import ElementTree

from benchmarks.flight_diagram import drawing, lines
from benchmarks.flights import Entry

VISIT = [
    Entry(2, True, "/"),
    Entry(3, True, "/assets/index-CM_1-x.js"),
    Entry(3, True, "/branding.json"),
    Entry(4, True, "/ws"),
    Entry(4, False, "config"),
    Entry(4, False, "offer"),
    Entry(5, True, "listStreamers"),
    Entry(5, True, "answer"),
    Entry(6, True, "stats"),
]


def test_each_flight_up_to_the_answer_has_its_messages() -> None:
    expected = [("TCP handshake", ""), ("/", ""), ("index.js", ""), ("/ws", "config, offer"), ("answer", "")]
    assert lines(VISIT) == expected


def test_the_drawing_has_a_column_for_each_visit() -> None:
    root = ElementTree.fromstring(drawing([("Before & after", VISIT), ("Now", VISIT)]))  # noqa: S314 - made here
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert ("Before & after: 5 flights" in texts, "Now: 5 flights" in texts, texts.count("answer")) == (True, True, 2)
