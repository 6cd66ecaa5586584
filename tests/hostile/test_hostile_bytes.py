"""A corpus of hostile requests, as raw bytes, through the server that `make serve` runs.

None may have a 500, none may be accepted that is wrong, and afterwards the tables hold what they
held, the log tells of no accident, and the server serves. `HOSTILE=chunk` sends only the cases
whose group or name contains the word; the tables are in the modules beside this one.
"""

import json
import os
import re

import pytest

from tests.contract.test_hostile_requests import INSIDES, _rows
from tests.hostile import framing
from tests.hostile.wire import Case, Answer, send, with_credentials

WANTED = os.environ.get("HOSTILE", "")
CORPUS = {**framing.GROUPS}
CASES = [
    (group, case)
    for group, cases in CORPUS.items()
    for case in cases
    if WANTED in f"{group}: {case.name}"
]


def test_tmp(app, server, world):
    before = _rows(app)
    bad = 0
    import time
    t0=time.time()
    for group, case in CASES:
        t=time.time()
        try:
            answers = send(server.port, with_credentials(case.sent, world.callers.items()))
            told = tuple(a.status for a in answers)
        except Exception as e:
            answers=[]; told = repr(e)
        note=""
        now=_rows(app)
        if now!=before:
            note="CHANGED "+str([k for k in now if now[k]!=before[k]]); before=now
        if told not in case.allowed or note or time.time()-t>1:
            bad += 1
            print(f"{group}: {case.name}: {told} not in {case.allowed} {note} {time.time()-t:.2f}", [a.body[:160] for a in answers if a.status>=400 or a.status<300 and note][:2])
    print(len(CASES), bad, time.time()-t0)
    log=server.log.read_text()
    print([l[:300] for l in log.splitlines() if "Traceback" in l or '"error"' in l or "ERROR" in l][:20])
