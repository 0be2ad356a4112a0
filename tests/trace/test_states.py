import numpy as np

from playground.trace.records import Flag, Kind
from playground.trace.states import State, spans
from playground.trace.trace import RequestInfo, Trace, from_tuples
from tests.trace.example import MS, START, example_trace


def states_of(array, request):
    return [State(row["kind"]).name for row in array if row["request"] == request]


def test_each_request_passes_through_the_states_its_records_tell():
    found = spans(example_trace())
    assert states_of(found, 1) == ["QUEUED", "RUNNING", "WAITING", "RUNNING"]
    assert states_of(found, 2) == ["QUEUED", "RUNNING"]
    assert states_of(found, 3) == ["QUEUED", "WAITING"]
    assert states_of(found, 4) == ["QUEUED", "SERVED"]
    assert states_of(found, 5) == ["QUEUED", "RUNNING"]
    assert states_of(found, 6) == ["QUEUED"]


def test_states_of_a_request_follow_each_other_without_a_hole():
    found = spans(example_trace())
    mine = found[found["request"] == 1]
    ends = mine["t_us"] + mine["dur_us"]
    assert np.array_equal(ends[:-1], mine["t_us"][1:])
    assert list(mine["lane"]) == [0, 1, 1, 1]


def test_open_spans_stay_open_and_flags_are_carried():
    found = spans(example_trace())
    assert np.isnan(found[found["request"] == 6]["dur_us"]).all()
    assert np.isnan(found[found["request"] == 5]["dur_us"][-1])
    assert found[found["request"] == 5]["dur_us"][0] == 343 * MS
    failed = found[(found["request"] == 3) & (found["kind"] == State.WAITING)][0]
    assert failed["flags"] == Flag.SAMPLED | Flag.ERROR


def test_as_of_a_moment_nothing_later_is_known():
    found = spans(example_trace(), now_us=START + 100 * MS)
    assert states_of(found, 1) == ["QUEUED", "RUNNING", "WAITING"]
    assert np.isnan(found[found["request"] == 1]["dur_us"][-1])
    assert states_of(found, 3) == ["QUEUED"]
    assert np.isnan(found[found["request"] == 3]["dur_us"][0])


def made(*rows, **meta):
    return Trace(from_tuples(rows), meta=meta)


def test_uncovered_parts_of_a_service_are_served_and_parts_end_with_it():
    found = spans(
        made(
            (0, 100, 1, 1, Kind.WORKER, 0),
            (10, 20, 1, 1, Kind.AWAIT, Flag.SAMPLED),
            (50, np.nan, 1, 1, Kind.STEP, Flag.SAMPLED),
        )
    )
    assert [(State(row["kind"]), row["t_us"], row["dur_us"]) for row in found] == [
        (State.SERVED, 0, 10),
        (State.WAITING, 10, 20),
        (State.SERVED, 30, 20),
        (State.RUNNING, 50, 50),
    ]


def test_a_request_given_up_before_any_server_began_it_was_queued_to_the_end():
    found = spans(made((0, 500, 1, 0, Kind.CLIENT, Flag.ERROR), traced=True))
    assert [(State(row["kind"]), row["dur_us"], row["flags"]) for row in found] == [
        (State.QUEUED, 500, Flag.ERROR)
    ]


def test_nothing_is_drawn_where_nothing_is_known():
    assert (
        len(spans(made((0, 500, 1, 0, Kind.CLIENT, 0), traced=True))) == 0
    )  # answered, yet no server record
    assert len(spans(made((0, np.nan, 1, 0, Kind.CLIENT, 0), traced=False))) == 0
    assert len(spans(made((0, 500, 1, 0, Kind.CLIENT, Flag.ERROR), traced=True, dropped=3))) == 0
    assert len(spans(made())) == 0


def test_a_request_served_twice_is_not_joined_across_the_pause():
    found = spans(made((0, 10, 1, 1, Kind.WORKER, 0), (50, 10, 1, 2, Kind.WORKER, 0)))
    assert [(row["t_us"], row["dur_us"], row["lane"]) for row in found] == [(0, 10, 1), (50, 10, 2)]


def test_what_a_request_waits_while_a_function_runs_for_it_in_a_thread_is_left_out():
    found = spans(
        made(
            (0, 100, 1, 1, Kind.REQUEST, 0),
            (0, 10, 1, 1, Kind.STEP, 0),
            (10, 80, 1, 1, Kind.AWAIT, 0),
            (20, 40, 1, 2, Kind.WORKER, 0),
            (50, 20, 1, 3, Kind.WORKER, 0),
            (90, 10, 1, 1, Kind.STEP, 0),
        )
    )
    assert [
        (State(row["kind"]).name, row["lane"], row["t_us"], row["dur_us"]) for row in found
    ] == [
        ("RUNNING", 1, 0, 10),
        ("WAITING", 1, 10, 10),
        ("SERVED", 2, 20, 40),
        ("SERVED", 3, 50, 20),
        ("WAITING", 1, 70, 20),
        ("RUNNING", 1, 90, 10),
    ]


def test_while_the_function_still_runs_the_request_is_only_there():
    found = spans(
        made(
            (0, np.nan, 1, 1, Kind.REQUEST, 0),
            (0, 10, 1, 1, Kind.STEP, 0),
            (10, np.nan, 1, 1, Kind.AWAIT, 0),
            (10, np.nan, 1, 2, Kind.WORKER, 0),
        )
    )
    assert [(State(row["kind"]).name, row["lane"]) for row in found] == [
        ("RUNNING", 1),
        ("SERVED", 2),
    ]


def test_processor_time_of_the_loop_says_nothing_about_a_short_function_in_a_thread():
    rows = (
        (0, 3000, 1, 1, Kind.REQUEST, 0),
        (0, 3000, 1, 1, Kind.STEP, 0),
        (500, 1000, 1, 2, Kind.WORKER, 0),
    )
    found = spans(Trace(from_tuples(rows), requests={1: RequestInfo("GET /", cpu_us=2900.0)}))
    assert [State(row["kind"]).name for row in found] == ["RUNNING", "SERVED"]


def test_steps_of_a_task_that_outlives_its_request_are_running_after_its_end():
    found = spans(
        made(
            (0, 100, 1, 1, Kind.REQUEST, 0),
            (0, 100, 1, 1, Kind.STEP, 0),
            (150, 20, 1, 1, Kind.STEP, 0),
            (200, np.nan, 1, 1, Kind.STEP, 0),
        )
    )
    assert [(State(row["kind"]).name, row["t_us"]) for row in found] == [
        ("RUNNING", 0),
        ("RUNNING", 150),
        ("RUNNING", 200),
    ]
    assert found["dur_us"][1] == 20
    assert np.isnan(found["dur_us"][2])


def test_each_part_of_a_request_on_another_process_has_its_own_service():
    found = spans(
        made(
            (0, 10, 1, 1, Kind.REQUEST, 0),
            (0, 10, 1, 1, Kind.STEP, 0),
            (50, 10, 1, 2, Kind.REQUEST, 0),
            (50, 10, 1, 2, Kind.STEP, 0),
        )
    )
    assert [(row["t_us"], row["dur_us"], row["lane"]) for row in found] == [(0, 10, 1), (50, 10, 2)]
