import numpy as np
import pytest

from playground.trace.records import RECORD, Kind, make_traceparent, parse_traceparent, run_tag
from playground.trace.trace import DTYPE, Trace, TraceFileError, from_tuples
from tests.trace.example import MS, START, example_trace

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


def test_the_array_is_the_record():
    assert DTYPE.itemsize == RECORD.size == 24
    packed = RECORD.pack(1.5, 2.5, 3, 4, Kind.WORKER, 6)
    assert np.frombuffer(packed, DTYPE)[0].item() == (1.5, 2.5, 3, 4, 7, 6)


def test_traceparent_carries_run_and_number():
    header = make_traceparent(TRACE_ID, 7)
    assert header == f"00-{TRACE_ID}-0000000000000007-01"
    assert parse_traceparent(header) == (run_tag(TRACE_ID), 7)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "00",
        f"00-{TRACE_ID}-00f067aa0ba902b7-01",
        f"00-{TRACE_ID}-0000000000000000-01",
        f"00-{'z' * 32}-0000000000000001-01",
    ],
)
def test_other_traceparents_are_untracked(value):
    assert parse_traceparent(value) is None


def test_a_closed_span_replaces_its_open_one_whatever_the_order():
    opened, closed = (1.0, np.nan, 1, 1, Kind.WORKER, 0), (1.0, 9.0, 1, 1, Kind.WORKER, 0)
    for rows in ([opened, closed], [closed, opened]):
        assert Trace(from_tuples(rows)).records["dur_us"].tolist() == [9.0]


def test_save_and_load_give_the_same_trace(tmp_path):
    trace = example_trace()
    again = Trace.load(trace.save(tmp_path / "run.trace"))
    assert again.records.tobytes() == trace.records.tobytes()
    assert (again.lanes, again.requests, again.meta) == (trace.lanes, trace.requests, trace.meta)


def test_a_cut_file_loads_what_is_whole_and_says_so(tmp_path):
    path = example_trace().save(tmp_path / "run.trace")
    path.write_bytes(path.read_bytes()[: -24 * 5 - 7])
    with pytest.warns(UserWarning, match="cut short: 16 of its 22 records"):
        assert len(Trace.load(path).records) == 16


def test_a_file_cut_in_its_first_line_or_a_foreign_one_is_refused_in_a_sentence(tmp_path):
    path = example_trace().save(tmp_path / "run.trace")
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    with pytest.raises(TraceFileError, match="cut short before its first record"):
        Trace.load(path)
    for foreign in (
        b"",
        b"\x89PNG\r\n",
        b"{}\n",
        b"[1]\n",
        whole.replace(b'"lanes": [{"id"', b'"lanes": [{"idea"'),
    ):
        path.write_bytes(foreign)
        with pytest.raises(TraceFileError, match="is not a trace"):
            Trace.load(path)
    path.write_bytes(whole.replace(b'"version": 1', b'"version": 9'))
    with pytest.raises(TraceFileError, match="version 9"):
        Trace.load(path)


def test_what_cannot_be_read_or_written_is_a_sentence_and_leaves_nothing(tmp_path):
    for place in (tmp_path / "missing.trace", tmp_path):
        with pytest.raises(TraceFileError, match=f"Cannot read {place} "):
            Trace.load(place)
    (tmp_path / "folder").mkdir()
    for place in (tmp_path / "none" / "run.trace", tmp_path / "folder"):
        with pytest.raises(TraceFileError, match=f"Cannot write {place} "):
            example_trace().save(place)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_slice_keeps_spans_that_touch_it():
    part = example_trace().slice(START + 300 * MS, START + 310 * MS)
    kinds = {(int(row["request"]), Kind(row["kind"])) for row in part.records}
    assert {(1, Kind.STEP), (5, Kind.CLIENT)} <= kinds
    assert not {(1, Kind.AWAIT), (5, Kind.WORKER)} & kinds
