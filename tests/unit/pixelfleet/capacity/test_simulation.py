"""The simulation against known results: conservation, queueing theory, order, and the autoscalers' peculiarities."""

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelfleet.capacity.arrivals import Players
from pixelfleet.capacity.durations import Durations, Exponential, Fixed, Lognormal, Uniform
from pixelfleet.capacity.outcome import Cause, Fate
from pixelfleet.capacity.scalers import shipped
from pixelfleet.capacity.scenario import Nodes
from tests.unit.pixelfleet.capacity.runs import FULL_NODES, at, run, simulation, steady

HOUR = 3600.0

SCENARIOS = st.fixed_dictionaries(
    {
        "autoscaler": st.one_of(
            st.none(),
            st.builds(
                shipped,
                st.sampled_from(["hpa", "hpa-ratio", "keda"]),
                st.integers(1, 3),
                st.integers(3, 12),
                exact=st.booleans(),
            ),
        ),
        "replicas": st.integers(1, 6),
        "warm": st.integers(0, 3),
        "pod_start": st.sampled_from([Fixed(0), Uniform(5, 60)]),
        "pod_stop": st.sampled_from([Fixed(0), Fixed(20)]),
        "drain_seconds": st.sampled_from([30.0, 3600.0]),
        "deletion_cost": st.booleans(),
        "nodes": st.sampled_from(
            [FULL_NODES, Nodes(gpus=4, minimum=1, maximum=2), Nodes(gpus=2, streams_per_gpu=2, idle_seconds=60)]
        ),
        "seed": st.integers(1, 5),
    }
)


@settings(max_examples=50)
@given(SCENARIOS, st.floats(10, 400), st.integers(1, 1000))
def test_each_player_is_served_or_gives_up_or_waits(chosen: dict[str, Any], rate: float, seed: int) -> None:
    found = steady(rate, 2 * HOUR, Exponential(120), Exponential(60), seed)
    sim = simulation(found, 2 * HOUR, **chosen)
    outcome = sim.run()
    assert outcome.served() + outcome.gave_up() + outcome.waiting() == len(found)
    assert outcome.waiting() == sim.waiting
    assert all(wait >= 0 for wait in outcome.waits)
    assert all(wait <= patience + 1e-6 for wait, patience in zip(outcome.waits, found.patience, strict=True))
    assert sum(outcome.causes.values()) >= 0
    # A slot has one player: the hours with a player are part of those that pods held, and these of the nodes' ones.
    assert outcome.busy_gpu_hours <= outcome.stream_gpu_hours + 1e-6 or outcome.cut
    assert outcome.stream_gpu_hours <= outcome.node_gpu_hours + 1e-6
    assert outcome.most_streams <= outcome.most_nodes * chosen["nodes"].streams


def erlang_c(servers: int, load: float) -> float:
    """Return the probability that a customer waits; `load` is in erlangs."""
    terms = [load**number / math.factorial(number) for number in range(servers)]
    last = load**servers / math.factorial(servers) * servers / (servers - load)
    return last / (sum(terms) + last)


@pytest.mark.parametrize(("servers", "load"), [(1, 0.7), (5, 4.0), (20, 18.0), (50, 46.0)])
def test_a_fixed_fleet_has_the_waits_of_erlang_c(servers: int, load: float) -> None:
    mean = 60.0
    seconds = 200_000 / (load / mean)
    found = steady(load / mean * HOUR, seconds, Exponential(mean))
    rarely = msgspec.structs.replace(FULL_NODES, scan_seconds=HOUR)
    outcome = run(found, seconds, replicas=servers, nodes=rarely, scrape_seconds=HOUR)
    expected = erlang_c(servers, load)
    waited = sum(1 for wait in outcome.waits if wait > 0) / len(found)
    assert waited == pytest.approx(expected, abs=0.03)
    mean_wait = sum(outcome.waits) / len(found)
    assert mean_wait == pytest.approx(expected * mean / (servers - load), rel=0.15)
    # The waits of those that wait are exponential.
    late = sum(1 for wait in outcome.waits if wait > mean / (servers - load)) / len(found)
    assert late == pytest.approx(expected / math.e, abs=0.02)


def test_with_one_slot_per_player_nobody_waits_and_with_one_slot_all_wait_in_order() -> None:
    found = at(0, 1, 2, 3, length=10)
    assert list(run(found, 100, replicas=4).waits) == [0, 0, 0, 0]
    assert list(run(found, 100, replicas=1).waits) == [0, 9, 18, 27]


@settings(max_examples=30)
@given(
    st.sampled_from([Exponential(60), Fixed(60), Lognormal(45, 1.2)]),
    st.integers(1, 12),
    st.integers(1, 1000),
)
def test_a_further_pod_makes_no_wait_longer(lengths: Durations, replicas: int, seed: int) -> None:
    """It holds for each player of a fixed fleet where no player gives up."""
    found = steady(240, 4 * HOUR, lengths, seed=seed)
    fewer, more = (run(found, 4 * HOUR, replicas=each).waits for each in (replicas, replicas + 1))
    assert all(after <= before + 1e-6 for before, after in zip(fewer, more, strict=True))


def test_a_run_depends_on_its_seed_alone() -> None:
    found = steady(300, 6 * HOUR, Exponential(300), Exponential(60))
    chosen: dict[str, Any] = {
        "autoscaler": shipped("keda", 0, 40),
        "warm": 2,
        "pod_start": Lognormal(30, 0.5),
        "nodes": Nodes(gpus=4),
        "in_phase": False,
    }
    one, again, other = (run(found, 6 * HOUR, seed=seed, **chosen) for seed in (1, 1, 2))
    assert (one.waits, one.node_seconds, one.timeline) == (again.waits, again.node_seconds, again.timeline)
    assert one.waits != other.waits


# -- the autoscalers ---------------------------------------------------------------------------------


def without_tolerance_setting() -> dict[str, Any]:
    """Return an autoscaler of the demand as Kubernetes before 1.35 runs it without the component `before-1-35`."""
    manifest = shipped("hpa", 1, 1000)
    spec = manifest["spec"]
    behavior = {
        name: {key: value for key, value in rules.items() if key != "tolerance"}
        for name, rules in spec["behavior"].items()
    }
    return {**manifest, "spec": {**spec, "behavior": behavior}}


def crowd(size: int) -> Players:
    """Return players that arrive within a minute and stay."""
    return at(*(number * 60 / size for number in range(size)))


def test_the_tolerance_leaves_nine_players_waiting_at_a_hundred_pods() -> None:
    assert run(crowd(109), HOUR, autoscaler=without_tolerance_setting(), replicas=100).waiting() == 9
    assert run(crowd(109), HOUR, autoscaler=shipped("hpa", 1, 1000), replicas=100).waiting() == 0
    beyond = run(crowd(109), HOUR, autoscaler=shipped("hpa", 1, 1000, exact=False), replicas=100)
    assert (beyond.waiting(), beyond.most_streams) == (0, 111)


def test_an_average_counts_pods_that_are_starting_and_a_ratio_does_not_wait_for_them() -> None:
    slow: dict[str, Any] = {"pod_start": Fixed(600), "replicas": 10}
    assert run(crowd(50), HOUR, autoscaler=shipped("hpa", 1, 1000), **slow).most_streams == 50
    # 50 players on 10 ready pods, again and again: the ratio is multiplied by the ready pods, so it is no multiple.
    assert run(crowd(50), HOUR, autoscaler=shipped("hpa-ratio", 1, 1000), **slow).most_streams == 56


def test_a_fleet_shrinks_after_the_stabilization_window_a_quarter_at_a_time() -> None:
    sim = simulation(at(*range(40), length=60), HOUR, autoscaler=shipped("hpa", 4, 100), replicas=40)
    sim._every(15, sim._scrape, None)
    for loop in sim.scaler.loops if sim.scaler else ():
        sim._every(loop.seconds, sim._reconcile, loop)
    sim.agenda.advance(599)
    assert sim.streams.wanted == 40
    sim.agenda.advance(616)
    assert sim.streams.wanted == 30
    sim.agenda.advance(1500)
    assert sim.streams.wanted == 4


def test_keda_goes_to_zero_after_its_cooldown_and_back_for_a_player() -> None:
    found = at(0, 2000, length=40)
    outcome = run(found, HOUR, autoscaler=shipped("keda", 0, 10), replicas=1, pod_start=Fixed(30))
    assert outcome.stream_seconds == pytest.approx(2 * (40 + 600), abs=60)
    # Until the next scrape and the next poll, and then the pod's start.
    assert 30 < outcome.waits[1] <= 30 + 15 + 5
    assert {cause for cause, seconds in outcome.causes.items() if seconds} <= {Cause.POD, Cause.AUTOSCALER}


def test_the_series_is_as_old_as_the_last_scrape_and_the_last_reading() -> None:
    chosen: dict[str, Any] = {"autoscaler": shipped("hpa", 1, 10), "replicas": 1, "sync_seconds": 15}
    assert run(at(0, 1), 600, scrape_seconds=15, **chosen).waits[1] <= 15
    assert run(at(0, 1), 600, scrape_seconds=60, **chosen).waits[1] == pytest.approx(59, abs=1)
    # Prometheus scrapes at 15 s a value that is read up to 40 s later, for the controller of the period after that.
    assert run(at(0, 1), 600, scrape_seconds=15, read_seconds=40, **chosen).waits[1] > 15


# -- GPUs ----------------------------------------------------------------------------------------------


def test_a_first_player_on_a_new_node_waits_for_node_image_and_pod() -> None:
    nodes = Nodes(gpus=2, start=Fixed(100), image_pull=Fixed(50), scan_seconds=10)
    outcome = run(
        at(0, 1, 2, 3),
        HOUR,
        autoscaler=shipped("hpa", 1, 10),
        replicas=1,
        nodes=nodes,
        pod_start=Fixed(20),
        scrape_seconds=1,
        sync_seconds=1,
    )
    # The second GPU of the first node is free, and its image is there.
    assert outcome.waits[1] == pytest.approx(20, abs=3)
    assert outcome.waits[2] == pytest.approx(10 + 100 + 50 + 20, abs=3)
    assert outcome.most_nodes == 2
    assert {cause for cause, seconds in outcome.causes.items() if seconds > 10} == {Cause.NODE, Cause.IMAGE, Cause.POD}


def test_the_report_names_the_limit_that_players_meet() -> None:
    found = at(*range(20))
    few_nodes = run(found, HOUR, autoscaler=shipped("hpa", 1, 30), nodes=Nodes(gpus=4, maximum=2))
    few_streams = run(found, HOUR, autoscaler=shipped("hpa", 1, 8))
    for outcome, cause in ((few_nodes, Cause.NODES), (few_streams, Cause.STREAMS)):
        assert outcome.waiting() == 12
        assert outcome.most_streams == 8
        assert max(outcome.causes, key=outcome.causes.__getitem__) == cause


def test_empty_nodes_are_removed_after_their_time_and_not_after_an_addition() -> None:
    nodes = Nodes(gpus=1, start=Fixed(10), image_pull=Fixed(0), idle_seconds=100, after_add_seconds=1000)
    sim = simulation(at(0), 4000, nodes=nodes, replicas=1)
    cluster = sim.streams.cluster
    sim._every(10, sim._scan, None)
    sim.streams.scale(3)
    sim.agenda.advance(50)
    assert cluster.count == 3
    sim.streams.scale(1)
    sim.agenda.advance(900)
    assert cluster.count == 3
    sim.agenda.advance(1100)
    assert cluster.count == 1


# -- removal ---------------------------------------------------------------------------------------------


def busy_and_idle(**chosen: Any) -> Any:
    """Return a run with five busy pods among ten, of which five are then removed."""
    sim = simulation(at(0, 1, 2, 3, 4, length=5000), 2 * HOUR, replicas=10, **chosen)
    for number, time in enumerate(sim._players.arrivals):
        sim.agenda.advance(time)
        sim._arrive(number)
    sim.agenda.advance(100)
    sim.streams.scale(5)
    return sim


def test_idle_pods_are_removed_first_by_their_cost() -> None:
    assert busy_and_idle().streams.draining == 0
    assert busy_and_idle(deletion_cost=False).streams.draining > 0


def test_a_removed_pod_keeps_its_gpu_until_its_player_leaves() -> None:
    sim = simulation(at(0, length=500), 1000, replicas=1, nodes=Nodes(minimum=1, maximum=1), pod_stop=Fixed(7))
    sim._arrive(0)
    sim.streams.scale(0)
    assert (sim.streams.draining, sim.streams.pods().existing) == (1, 0)
    sim.streams.scale(1)
    sim.agenda.advance(506)
    assert sim.streams.pending == 1
    sim.agenda.advance(508)
    assert (sim.streams.pending, sim.streams.ready) == (0, 1)


def test_the_end_of_a_drain_ends_a_session() -> None:
    sim = simulation(at(0, length=500), 1000, replicas=1, drain_seconds=60)
    sim._arrive(0)
    sim.streams.scale(0)
    sim.agenda.advance(1000)
    assert (sim.streams.cut, sim.streams.draining, sim._fates[0]) == (1, 0, Fate.SERVED)
    assert sim.streams.stream_seconds() == 60


def test_pending_and_starting_pods_are_removed_before_idle_ones() -> None:
    nodes = Nodes(gpus=1, minimum=3, maximum=3)
    sim = simulation(at(0), 1000, replicas=1, nodes=nodes, pod_start=Fixed(50))
    sim.streams.scale(5)
    assert (sim.streams.ready, sim.streams.starting, sim.streams.pending) == (1, 2, 2)
    for wanted, left in ((3, (1, 2, 0)), (1, (1, 0, 0)), (0, (0, 0, 0))):
        sim.streams.scale(wanted)
        assert (sim.streams.ready, sim.streams.starting, sim.streams.pending) == left
