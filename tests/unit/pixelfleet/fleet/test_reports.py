"""The encoding of reports does not depend on earlier reports."""

from hypothesis import given
from hypothesis import strategies as st

from pixelfleet.fleet.model import ServerReport, StreamerReport
from pixelfleet.fleet.redis.reports import ReportWriter

NAMES = st.sampled_from(["a", "b", "c"])
STREAMERS = st.builds(
    StreamerReport,
    server_id=st.just("s"),
    endpoint_id=NAMES,
    app=NAMES,
    url=NAMES,
    sessions=st.lists(NAMES, max_size=2).map(tuple),
    away=st.lists(NAMES, max_size=1).map(tuple),
    ready=st.booleans(),
    draining=st.booleans(),
    labels=st.dictionaries(NAMES, NAMES, max_size=2),
)
REPORTS = st.builds(
    ServerReport,
    server_id=st.sampled_from(["s", "t"]),
    sequence=st.just(1),
    streamers=st.lists(STREAMERS, max_size=3).map(tuple),
    ended=st.lists(NAMES, max_size=1).map(tuple),
    owner=st.sampled_from(["", "replica"]),
)


@given(st.lists(REPORTS, max_size=6))
def test_a_report_is_encoded_alike_after_any_others(reports: list[ServerReport]) -> None:
    writer = ReportWriter()
    for report in reports:
        assert writer.words(report) == ReportWriter().words(report)


def test_a_server_without_streamers_leaves_nothing_behind() -> None:
    writer = ReportWriter()
    streamers = (StreamerReport(server_id="s", endpoint_id="a", app="a", url="ws://a"),)
    writer.words(ServerReport(server_id="s", sequence=1, streamers=streamers))
    assert writer._known
    writer.words(ServerReport(server_id="s", sequence=2))
    assert not writer._known
