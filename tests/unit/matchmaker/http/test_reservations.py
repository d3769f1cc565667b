from matchmaker.http.reservations import MAX_ADDRESSES, OfferLimit


def test_an_address_may_take_so_many_a_minute_and_the_others_do_not_suffer() -> None:
    limit = OfferLimit(6)
    for _ in range(6):
        assert limit.allows("a", 0.0)
        limit.take("a", 0.0)
    assert not limit.allows("a", 0.0)
    assert limit.allows("b", 0.0)
    assert not limit.allows("a", 9.9)
    assert limit.allows("a", 10.0)


def test_a_long_rest_gives_no_more_than_a_minutes_worth() -> None:
    limit = OfferLimit(2)
    limit.take("a", 0.0)
    for _ in range(2):
        assert limit.allows("a", 1e6)
        limit.take("a", 1e6)
    assert not limit.allows("a", 1e6)


def test_without_a_limit_everything_is_allowed_and_nothing_remembered() -> None:
    limit = OfferLimit(0)
    for _ in range(1000):
        assert limit.allows("a", 0.0)
        limit.take("a", 0.0)
    assert not limit._left


def test_no_more_addresses_are_remembered_than_that() -> None:
    limit = OfferLimit(1)
    for number in range(MAX_ADDRESSES + 10):
        limit.take(str(number), 0.0)
    assert len(limit._left) == MAX_ADDRESSES
    assert limit.allows("0", 0.0)
    assert not limit.allows(str(MAX_ADDRESSES), 0.0)
