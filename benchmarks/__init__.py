"""What the box office costs, as ratios to a bare program that sends the same statements.

`python -m benchmarks --help` says how; docs/performance.md is its last report.
"""
