"""The recorded inputs and the scene of a streamer."""

import pytest

from teststreamer.inputs import Input
from teststreamer.picture import KEY_SECONDS, MARK_SECONDS, Scene
from teststreamer.stage import MAX_INPUTS, MAX_KEPT, MAX_MARKS, Stage


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stage(clock: Clock) -> Stage:
    return Stage(clock)


def act(
    stage: Stage, kind: str, x: float | None = None, y: float | None = None, player_id: str = "101", **values: int
) -> None:
    stage.record(Input(kind, player_id, stage.now(), values, x, y))


def shown(stage: Stage) -> Scene:
    return stage.scene(frame=3, streamer_id="cam", players=2)


def test_a_scene_tells_the_time_and_who_is_there(stage: Stage) -> None:
    scene = shown(stage)
    assert scene.at.timestamp() == 1_000_000
    assert (scene.frame, scene.streamer_id, scene.players, scene.last_input) == (3, "cam", 2, "")


def test_a_click_is_marked_where_it_happened_and_fades(stage: Stage, clock: Clock) -> None:
    act(stage, "MouseDown", 0.25, 0.5, button=0)
    (mark,) = shown(stage).marks
    assert (mark.x, mark.y, mark.label, mark.age) == (0.25, 0.5, "MouseDown left", 0)
    clock.now += MARK_SECONDS + 0.1
    assert shown(stage).marks == ()
    assert shown(stage).last_input == "MouseDown left"


def test_a_finger_takes_its_mark_along(stage: Stage) -> None:
    act(stage, "TouchStart", 0.1, 0.1)
    act(stage, "TouchMove", 0.2, 0.2)
    act(stage, "TouchMove", 0.3, 0.3)
    assert [(mark.x, mark.y) for mark in shown(stage).marks] == [(0.3, 0.3)]


def test_the_pointer_is_shown_until_it_leaves(stage: Stage) -> None:
    act(stage, "MouseMove", 0.1, 0.9, dx=1, dy=1)
    assert shown(stage).pointer == (0.1, 0.9)
    assert shown(stage).last_input == ""
    act(stage, "MouseLeave")
    assert shown(stage).pointer is None


def test_a_key_is_shown_for_a_while(stage: Stage, clock: Clock) -> None:
    act(stage, "KeyDown", key=32, repeat=0)
    key = shown(stage).key
    assert key is not None
    assert key.label == "Space"
    clock.now += KEY_SECONDS + 0.1
    assert shown(stage).key is None


def test_what_is_remembered_is_bounded_and_all_is_counted(stage: Stage) -> None:
    for _ in range(MAX_INPUTS + 10):
        act(stage, "MouseDown", 0.5, 0.5, button=0)
    assert len(stage.inputs) == MAX_INPUTS
    assert stage.counts == {"MouseDown": MAX_INPUTS + 10}
    assert len(shown(stage).marks) == MAX_MARKS


def test_nothing_of_a_player_that_has_left_is_shown(stage: Stage) -> None:
    before = shown(stage)
    act(stage, "MouseDown", 0.25, 0.5, button=0)
    act(stage, "KeyDown", key=32, repeat=0)
    assert shown(stage) != before
    stage.forget("101")
    assert shown(stage) == before
    assert stage.counts == {"MouseDown": 1, "KeyDown": 1}


def test_the_input_of_players_that_stay_is_shown_when_another_leaves(stage: Stage) -> None:
    act(stage, "MouseDown", 0.25, 0.5, button=0)
    act(stage, "MouseDown", 0.75, 0.5, player_id="102", button=0)
    act(stage, "KeyDown", player_id="102", key=65, repeat=0)
    stage.forget("101")
    scene = shown(stage)
    assert [mark.x for mark in scene.marks] == [0.75]
    assert (scene.pointer, scene.last_input) == ((0.75, 0.5), "KeyDown A")
    assert scene.key is not None


def test_kept_marks_stay_when_their_player_leaves(clock: Clock) -> None:
    stage = Stage(clock, keep_marks=True)
    act(stage, "MouseMove", 0.1, 0.1)
    act(stage, "MouseDown", 0.25, 0.5, button=0)
    stage.forget("101")
    clock.now += 10 * MARK_SECONDS
    assert shown(stage).kept == ((0.25, 0.5),)
    assert shown(stage).marks == ()
    for _ in range(2 * MAX_KEPT):
        act(stage, "MouseDown", 0.75, 0.5, button=0)
    assert len(shown(stage).kept) == MAX_KEPT
