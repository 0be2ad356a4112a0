"""`playground app` without a browser: its address, who may see it, and what its end leaves."""

import os
import re
import signal
import socket
import subprocess
import sys

import httpx
import psutil
import pytest

ELSEWHERE = re.compile(r"""(?:src|href)=["'](https?:)?//""")  # what a page would fetch by itself


@pytest.mark.timeout(300)
def test_the_page_is_for_those_with_the_address_and_ctrl_c_ends_all(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-m", "playground", "app", "--no-browser", "--port", str(port)],
            cwd=tmp_path,
            env=os.environ | {"PLAYGROUND_WORKSPACE": str(tmp_path), "SCRIPT_NAME": "/"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            told = []
            for line in process.stdout:
                told.append(line)
                if "http://" in line:
                    break
            said = "".join(told)
            address = re.search(r"http://127\.0\.0\.1:(\d+)/\?token=\w+", said)
            assert address, said
            assert f"Port {port} is taken: this is {address[1]}." in said

            nobody = httpx.get(address[0].partition("?")[0], timeout=60)
            assert nobody.status_code in (302, 403)
            with httpx.Client(follow_redirects=True, timeout=60) as client:
                page = client.get(address[0])
            assert page.status_code == 200
            assert "application/vnd.jupyter.widget-view+json" in page.text
            assert ELSEWHERE.search(page.text) is None
            started = psutil.Process(process.pid).children(recursive=True)
            assert started  # the kernel of the page
            process.send_signal(signal.SIGINT)
            rest, _ = process.communicate(timeout=60)
            assert process.returncode == 0
            assert "Traceback" not in rest
            psutil.wait_procs(started, timeout=60)
            assert [one for one in started if one.is_running()] == []
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def test_without_voila_it_says_what_to_do(tmp_path):
    (tmp_path / "voila.py").write_text("raise ModuleNotFoundError('no', name='voila')")
    done = subprocess.run(
        [sys.executable, "-m", "playground", "app", "--no-browser"],
        cwd=tmp_path,
        env=os.environ | {"PLAYGROUND_WORKSPACE": str(tmp_path), "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    words = "playground: The page needs voila, which is not installed here: run `make lab` once.\n"
    assert (done.returncode, done.stderr) == (1, words)
