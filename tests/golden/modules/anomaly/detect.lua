-- When and on what the algorithms run.
require "circular_buffer"
local check = require "check"
local anomaly = require "anomaly"

local function empty_buffer()
    return circular_buffer.new(100, 1, 60)
end

-- Without a configuration for the name only the buffer moves on.
local cb = empty_buffer()
check.equal({anomaly.detect(9000e9, "other", cb, anomaly.parse_config('roc("x", 1, 2, 0, 1, true, true)'))}, {})
check.equal(cb:current_time(), 9000e9)

-- At most once in the interval of a row; the times of the runs are kept with the configuration.
cb = empty_buffer()
for t = 0, 9000, 60 do
    cb:set(t * 1e9, 1, 5)
end
cb:set(9060e9, 1, 0 / 0)
cb:set(9120e9, 1, 0 / 0)
cb:set(9180e9, 1, 0 / 0)
local config = anomaly.parse_config('roc("x", 1, 2, 0, 1, true, true) roc("x", 1, 1, 0, 1, true, true)')
local text = "x - algorithm: roc col: 1 msg: no new data"
check.equal(anomaly.detect(9180e9, "x", cb, config), text, "the second algorithm has no data in either window")
check.equal(config.x.last_run, 9180e9)
check.equal(config.x.interval, 60e9)
check.equal(anomaly.detect(9239e9, "x", cb, config), nil, "too early")

-- The messages of several algorithms are lines.
cb = empty_buffer()
for t = 0, 9000, 60 do
    cb:set(t * 1e9, 1, 5)
end
cb:set(9060e9, 1, 0 / 0)
cb:set(9120e9, 1, 0 / 0)
config = anomaly.parse_config('roc("x", 1, 1, 0, 1, true, true) roc("x", 1, 1, 2, 1, true, true)')
local message, annotations = anomaly.detect(9120e9, "x", cb, config)
check.equal(message, text .. "\n" .. text)
check.equal(#annotations, 2)

check.fails("x - algorithm: fft col: 1 msg: unknown algorithm", anomaly.detect, 9120e9, "x", cb,
    {x = {{algorithm = "fft", col = 1}}})
