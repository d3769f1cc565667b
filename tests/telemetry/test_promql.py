import pytest

from tests.telemetry.promql import selectors


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("up", {"up"}),
        ('up{job=~"a|b"} == 0', {'up{job=~"a|b"}'}),
        ('sum by (le, app) (rate(x_bucket{a="1"}[5m])) / 2', {'x_bucket{a="1"}'}),
        ("a:b:c > 0 and on (namespace) group by (namespace) (d)", {"a:b:c", "d"}),
        ("a unless on (x, y) b", {"a", "b"}),
        ("time() - a > 14 * 86400", {"a"}),
        ("count(a == 0) or vector(0)", {"a"}),
        ('a{b="} or (c",d="e"}', {'a{b="} or (c",d="e"}'}),
        ("histogram_quantile(0.95, sum by (le) (rate(a[10m])))", {"a"}),
    ],
)
def test_selectors_of_an_expression_are_found(expression: str, wanted: set[str]) -> None:
    assert selectors(expression) == wanted
