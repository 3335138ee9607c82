"""Sends counters, a gauge and timers through the Python package `statsd`.

usage: statsd_clients.py PORT COUNTERS TIMES

Counter 000000 is counted once a round, 000001 twice, and so on.
"""

import sys

import statsd

port, counters, times = map(int, sys.argv[1:])
client = statsd.StatsClient("127.0.0.1", port)
for time in range(times):
    with client.pipeline() as pipe:
        for counter in range(counters):
            pipe.incr(f"{counter:06}", counter + 1)
        pipe.gauge("depth", time)
        pipe.timing("render", time)
