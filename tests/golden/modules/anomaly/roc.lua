require "circular_buffer"
local check = require "check"
local anomaly = require "anomaly"

local function config(parameters)
    return anomaly.parse_config('roc("Output1", 1, ' .. parameters .. ')')
end

local function buffer(rows)
    return circular_buffer.new(rows, 1, 1)
end

-- Data stops coming.
local cb = buffer(100)
for t = 100, 150 do
    cb:set(t * 1e9, 1, 2)
end
cb:set(171e9, 1, 0 / 0)
local message, annotations = anomaly.detect(170e9, "Output1", cb, config("15, 0, 1.5, true, false"))
check.equal(message, "Output1 - algorithm: roc col: 1 msg: no new data")
check.equal(annotations, {{x = 171000, col = 1, shortText = "A", text = "no new data"}})
check.equal(anomaly.detect(170e9, "Output1", cb, config("15, 0, 1.5, false, true")), nil, "not asked for")

-- Data starts coming.
cb = buffer(100)
cb:set(170e9, 1, 2)
check.equal(anomaly.detect(171e9, "Output1", cb, config("15, 0, 1.5, false, true")),
    "Output1 - algorithm: roc col: 1 msg: unexpected data")

-- A change that is large compared with the recent past, but not with all of it.
cb = buffer(100)
for x = 100, 150 do
    cb:set(x * 1e9, 1, x - 99)
end
for x = 151, 184 do
    cb:set(x * 1e9, 1, x % 4 + 9)
end
for x = 185, 199 do
    cb:set(x * 1e9, 1, 23)
end
check.equal(anomaly.detect(200e9, "Output1", cb, config("15, 0, 1.5, false, false")), nil)
message, annotations = anomaly.detect(200e9, "Output1", cb, config("15, 15, 1.5, false, false"))
check.equal(message, "Output1 - algorithm: roc col: 1 msg: detected anomaly, standard deviation exceeds 1.5")
check.equal(annotations, {{x = 200000, col = 1, shortText = "A", text = "detected anomaly, standard deviation exceeds 1.5"}})

-- A history longer than the buffer is the whole buffer.
check.equal(anomaly.detect(200e9, "Output1", cb, config("15, 1000, 1.5, false, false")), nil)
check.equal(anomaly.detect(200e9, "Output1", cb, config("15, 1000, 0.1, false, false")),
    "Output1 - algorithm: roc col: 1 msg: detected anomaly, standard deviation exceeds 0.1")

-- No data at all.
check.equal(anomaly.detect(200e9, "Output1", buffer(100), config("15, 0, 1.5, true, true")), nil)

-- Windows that do not fit.
check.fails("Output1 - algorithm: roc col: 1 msg: win=15 hwin=0 arguments out of range (rows=45)",
    anomaly.detect, 200e9, "Output1", buffer(45), config("15, 0, 1.5, false, false"))
check.fails("Output1 - algorithm: roc col: 1 msg: win=10 hwin=5 arguments out of range (rows=100)",
    anomaly.detect, 200e9, "Output1", buffer(100), config("10, 5, 1.5, false, false"))
