"""What is ours in how gunicorn serves; losing no request is a journey (test_deploy)."""

import gc
import os
import runpy
import signal
import subprocess
import sys
import time

import pytest

from config import ENVIRONMENT, ROOT

APP = "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'']\n"
SLOW_TO_BOOT = """
from runpy import run_path
globals().update(run_path({conf!r}))
bind, workers, preload_app = "127.0.0.1:0", 1, False

def post_fork(arbiter, worker):
    import time
    open("forked", "w").close()
    time.sleep(1)
"""


@pytest.fixture
def booting(tmp_path):
    """gunicorn with one worker, which has been forked and is not listening to signals yet."""
    (tmp_path / "app.py").write_text(APP)
    conf = SLOW_TO_BOOT.format(conf=str(ROOT / "gunicorn.conf.py"))
    (tmp_path / "slow.conf.py").write_text(conf)
    mine = {name: value for name, value in os.environ.items() if name not in ENVIRONMENT}
    command = [sys.executable, "-m", "gunicorn", "-c", "slow.conf.py", "app:app"]
    process = subprocess.Popen(command, cwd=tmp_path, env=mine | {"PYTHONPATH": str(ROOT)})
    while not (tmp_path / "forked").exists():
        assert process.poll() is None
        time.sleep(0.01)
    yield process
    process.kill()
    process.wait()


def test_a_worker_told_to_stop_while_it_boots_stops(booting):
    booting.send_signal(signal.SIGTERM)

    assert booting.wait(timeout=15) == 0  # not killed when graceful_timeout is over


def test_workers_share_what_was_imported_for_good():
    conf = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    try:
        conf["pre_fork"](None, None)
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
