"""One small supervisor for the whole platform on one machine: servers, web, worker and beat.

`python -m config.supervisor` (what `bin/run` and `manage.py up` call) starts everything in order, restarts
what falls and stops in reverse. It needs no Django itself, so its own start costs nothing.
Why our own: docs/decisions/0002-private-servers-and-their-supervisor.md
"""
