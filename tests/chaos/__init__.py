"""`make chaos`: sales under fire, and controls that prove the checks can fail.

`python -m tests.chaos --help` says how to run it. A private PostgreSQL with durable settings, the
API under gunicorn as `make serve` runs it, hundreds of buyers at once (client), faults (faults,
crowds), the invariants watched meanwhile (watch), and afterwards the books compared with what
every buyer was told (account).
"""
