"""What a program with Python's statsd client sends. Arguments: port."""

import itertools
import random
import sys

import statsd

# One in ten samples is sent, and which is known.
draws = itertools.cycle([0.05 + tenth / 10 for tenth in range(10)])
random.random = lambda: next(draws)

client = statsd.StatsClient("127.0.0.1", int(sys.argv[1]), prefix="py")
for _ in range(50):
    client.incr("hits")
with client.pipeline() as pipe:
    for _ in range(50):
        pipe.incr("hits")
    pipe.incr("hits", 5)
    pipe.decr("hits", 2)
    for value in range(1, 101):
        pipe.timing("time", value)
    for number in range(100):
        pipe.set("users", "user%d" % (number % 7))
    for _ in range(200):
        pipe.incr("sampled", rate=0.1)
    for _ in range(200):
        pipe.timing("slow", 320.5, rate=0.1)
    pipe.incr("part", 0.25)
    pipe.incr("part", 0.5)
client.gauge("level", 10)
client.gauge("level", -4, delta=True)
client.gauge("level", 1.5, delta=True)
client.gauge("low", 3)
client.gauge("low", -7)
