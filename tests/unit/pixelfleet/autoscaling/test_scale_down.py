"""Which pods a ReplicaSet removes first."""

from pixelfleet.autoscaling.scale_down import Stage, removal_key


def test_the_stage_comes_before_the_deletion_cost() -> None:
    keys = [removal_key(stage, 100 - stage, 1, 10, "a") for stage in Stage]
    assert sorted(keys) == keys


def test_the_deletion_cost_comes_before_the_pods_on_the_node() -> None:
    idle, busy = removal_key(Stage.READY, 0, 1, 10, "a"), removal_key(Stage.READY, 100, 8, 10, "a")
    assert idle < busy


def test_pods_on_the_fullest_node_come_first() -> None:
    assert removal_key(Stage.READY, 0, 8, 1000, "a") < removal_key(Stage.READY, 0, 7, 1, "a")


def test_the_youngest_come_first_by_powers_of_two() -> None:
    assert removal_key(Stage.READY, 0, 1, 10, "b") < removal_key(Stage.READY, 0, 1, 100, "a")
    # 9 s and 10 s are within one power of two, so the name decides.
    assert removal_key(Stage.READY, 0, 1, 10, "a") < removal_key(Stage.READY, 0, 1, 9, "b")
    assert removal_key(Stage.READY, 0, 1, 0, "b") < removal_key(Stage.READY, 0, 1, 1, "a")
