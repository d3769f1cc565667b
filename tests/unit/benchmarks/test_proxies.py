"""The arithmetic of the benchmark of router and matchmaker."""

from benchmarks.proxies import FLOOR, ROUTER, Sample, ratio


def test_the_ratio_is_that_of_the_medians() -> None:
    samples = {
        FLOOR: [Sample(cpu, 1.0, 1.0) for cpu in (10.0, 20.0, 900.0)],
        ROUTER: [Sample(cpu, 1.0, 1.0) for cpu in (30.0, 24.0, 1.0)],
    }
    assert ratio(samples, ROUTER) == 1.2
