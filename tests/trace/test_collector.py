import os
import signal
import socket
import subprocess
import sys
import threading

import numpy as np
import pytest

from playground.trace import collector as collector_module
from playground.trace import sender as sender_module
from playground.trace.collector import Collector, CollectorError
from playground.trace.records import OPEN, RECORD, UNTRACKED, Flag, Kind
from playground.trace.sender import Sender, note
from tests.trace.conftest import RUN, TRACE_ID

SPEAKER = """
import sys
from playground.trace.records import RECORD, OPEN, Kind
from playground.trace.sender import Sender, note
path, run, request = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
channel = Sender(path).channel()
lane = channel.lane()
channel.send(RECORD.pack(100.0 + request, OPEN, request, lane, Kind.WORKER, 0), run)
print("open", flush=True)
sys.stdin.readline()
channel.send(RECORD.pack(100.0 + request, 5.0, request, lane, Kind.WORKER, 0), run)
print("closed", flush=True)
sys.stdin.readline()
"""


def worker(t_us, dur_us, request, lane=1):
    return RECORD.pack(t_us, dur_us, request, lane, Kind.WORKER, 0)


@pytest.fixture
def speak(collector):
    """Start a process that opens a WORKER span for a request and closes it when told."""
    started = []

    def start(request):
        command = [sys.executable, "-c", SPEAKER, collector.path, str(RUN), str(request)]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        started.append(process)
        assert process.stdout.readline() == "open\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_several_processes_each_get_a_lane_of_their_own(collector, speak, until):
    speakers = [speak(request) for request in (1, 2, 3)]
    until(lambda: len(collector.snapshot().records) == 3, "three open spans")
    trace = collector.snapshot()
    assert np.isnan(trace.records["dur_us"]).all()
    assert sorted(trace.records["lane"]) == [1, 2, 3]
    assert {lane.pid for lane in trace.lanes[1:]} == {speaker.pid for speaker in speakers}
    assert [lane.name for lane in trace.lanes] == ["client", "worker 1", "worker 2", "worker 3"]
    assert trace.meta["dropped"] == 0


def test_a_span_closes_in_place(collector, speak, until):
    process = speak(1)
    process.stdin.write("\n")
    process.stdin.flush()
    until(lambda: collector.snapshot().records["dur_us"].tolist() == [5.0], "the closed span")


def test_the_end_of_a_process_closes_its_spans_with_an_error(collector, speak, until):
    process = speak(1)
    until(lambda: len(collector.snapshot().records) == 1, "the open span")
    collector.describe(1, label="GET /")
    process.send_signal(signal.SIGKILL)
    until(lambda: not np.isnan(collector.snapshot().records["dur_us"][0]), "the span to close")
    trace = collector.snapshot()
    assert trace.records["flags"][0] == Flag.ERROR
    assert f"pid {process.pid}" in trace.requests[1].error


def test_catching_up_takes_in_what_was_sent_and_who_has_ended(monkeypatch):
    monkeypatch.setattr(collector_module.Collector, "_run_thread", lambda self: None)
    with Collector() as collector:
        collector.begin(TRACE_ID)
        speaker = subprocess.Popen(
            [sys.executable, "-c", SPEAKER, collector.path, str(RUN), "1"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert speaker.stdout.readline() == "open\n"
        assert len(collector.snapshot().records) == 0
        assert not collector.serving
        collector.catch_up()
        assert collector.serving
        speaker.kill()
        speaker.communicate()
        collector.catch_up()
        assert collector.snapshot().records["flags"].tolist() == [Flag.ERROR]
        assert not collector.serving


def test_the_end_is_seen_where_the_system_does_not_announce_it(
    monkeypatch, speak, until, collector
):
    monkeypatch.setattr(collector_module, "ANNOUNCED", False)
    process = speak(1)
    until(lambda: len(collector.snapshot().records) == 1, "the open span")
    process.kill()
    until(lambda: not np.isnan(collector.snapshot().records["dur_us"][0]), "the span to close")


def test_lanes_of_processes_that_are_gone_leave_with_the_next_run(collector, speak, until):
    process = speak(1)
    until(lambda: len(collector.snapshot().records) == 1, "the open span")
    process.kill()
    until(lambda: not np.isnan(collector.snapshot().records["dur_us"][0]), "the span to close")
    assert len(collector.snapshot().lanes) == 2
    collector.begin(TRACE_ID)
    assert [lane.name for lane in collector.snapshot().lanes] == ["client"]


def test_what_the_ring_overwrites_is_counted():
    with Collector(capacity=100) as collector:
        collector.begin(TRACE_ID)
        for time in range(250):
            collector.record(Kind.CLIENT, float(time), 1.0, time + 1)
        trace = collector.snapshot()
    assert trace.records["t_us"].tolist() == list(range(150, 250))
    assert collector.dropped == trace.meta["dropped"] == 150


def test_what_the_socket_could_not_take_is_counted(monkeypatch, collector, sender, until):
    monkeypatch.setattr(sender_module, "WAITING_RECORDS", 500)
    channel, lost = sender.channel(), 3_000
    with collector._lock:  # the collector is busy: nobody reads
        for time in range(lost):
            channel.send(worker(float(time), 1.0, time + 1), RUN)
        assert channel.dropped > 0
    until(
        lambda: len(collector.snapshot().records) + collector.dropped == lost, "all to be counted"
    )
    assert collector.dropped == channel.dropped


def test_a_full_socket_loses_nothing_while_there_is_room_to_wait(collector, sender, until):
    channel, count = sender.channel(), 3_000
    with collector._lock:
        for time in range(count):
            channel.send(worker(float(time), 1.0, time + 1), RUN)
    until(lambda: len(collector.snapshot().records) == count, "every record")
    assert collector.dropped == channel.dropped == 0


def test_requests_of_other_runs_get_numbers_of_their_own(collector, sender, until):
    channel = sender.channel()
    channel.send(worker(1.0, OPEN, 7), RUN)
    until(lambda: len(collector.snapshot().records) == 1, "the open span")
    other = "f" * 32
    collector.begin(other)
    carried = collector.snapshot().records
    assert np.isnan(carried["dur_us"][0])
    assert carried["request"][0] >= UNTRACKED
    channel.send(worker(1.0, 9.0, 7), RUN)
    channel.send(worker(50.0, 9.0, 7), 0xFFFFFFFF)
    until(lambda: len(collector.snapshot().records) == 2, "the new span")
    records = collector.snapshot().records
    assert records["request"].tolist() == [carried["request"][0], 7]
    assert records["dur_us"].tolist() == [9.0, 9.0]


def test_since_tells_what_is_new(collector, sender, until):
    cursor, records, changes = collector.since(0)
    assert len(records) == 0
    assert [lane.name for lane in changes["lanes"]] == ["client"]
    collector.describe(1, label="GET /")
    channel = sender.channel()
    channel.send(worker(1.0, OPEN, 1, channel.lane()), RUN)
    until(lambda: len(collector.snapshot().records) == 1, "the record")
    cursor, records, changes = collector.since(cursor)
    assert records["request"].tolist() == [1]
    assert [lane.name for lane in changes["lanes"]] == ["client", "worker 1"]
    assert changes["requests"][1].label == "GET /"
    channel.send(b"", RUN, note(1, end=1, status=200, cpu_us=3.0))
    until(lambda: collector.infos()[1].status == 200, "the status")
    cursor, records, changes = collector.since(cursor)
    assert len(records) == 0
    assert changes["requests"][1].cpu_us == 3.0
    assert "lanes" not in collector.since(cursor + 1)[2]


def test_threads_of_one_process_are_named_as_threads(collector, sender, until):
    channel = sender.channel()
    both = threading.Barrier(2)

    def serve(request):
        lane = channel.lane()
        both.wait(60)
        channel.send(worker(float(request), 1.0, request, lane), RUN)

    threads = [threading.Thread(target=serve, args=(request,)) for request in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: len(collector.snapshot().records) == 2, "both records")
    lanes = collector.snapshot().lanes
    assert [lane.name for lane in lanes[1:]] == ["worker 1, thread 1", "worker 1, thread 2"]
    assert {lane.kind for lane in lanes[1:]} == {"thread"}
    third = threading.Thread(target=serve, args=(3,))
    both.reset()
    third.start()
    both.wait(60)
    third.join()
    until(lambda: len(collector.snapshot().records) == 3, "the third record")
    assert len(collector.snapshot().lanes) == 3, "a thread that has ended leaves its lane"


def test_a_forked_process_has_numbers_and_lanes_of_its_own(collector, sender, until):
    parent = sender.channel()
    parent.send(worker(1.0, 1.0, 1, parent.lane()), RUN)
    pid = os.fork()
    if pid == 0:
        channel = sender.channel()
        channel.send(worker(2.0, 1.0, 2, channel.lane()), RUN)
        os._exit(0)
    os.waitpid(pid, 0)
    until(lambda: len(collector.snapshot().records) == 2, "both records")
    trace = collector.snapshot()
    assert [lane.pid for lane in trace.lanes[1:]] == [os.getpid(), pid]
    assert trace.records["lane"].tolist() == [1, 2]
    assert trace.meta["dropped"] == 0


def test_foreign_datagrams_change_nothing(collector, until, sender):
    stranger = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    stranger.connect(collector.path)
    for data in (b"", b"x" * 100, b"PGT1" + b"\xff" * 20, b"PGT1"):
        stranger.send(data)
    stranger.close()
    sender.channel().send(worker(1.0, 1.0, 1), RUN, b"not JSON\n[]\n7\n")
    until(lambda: len(collector.snapshot().records) == 1, "the record")


def test_a_sender_without_a_collector_does_not_hurt_its_server(tmp_path):
    channel = Sender(str(tmp_path / "nobody")).channel()
    channel.send(worker(1.0, 1.0, 1, channel.lane()), RUN)


def test_close_leaves_no_file_and_can_be_called_twice():
    collector = Collector()
    collector.close()
    collector.close()
    assert not os.path.exists(os.path.dirname(collector.path))


def test_without_unix_sockets_there_is_a_sentence(monkeypatch):
    monkeypatch.delattr(collector_module.socket, "AF_UNIX")
    with pytest.raises(CollectorError, match="no Unix datagram sockets"):
        Collector()
