require "circular_buffer"
local check = require "check"

check.equal(circular_buffer.version(), "0.2.0")
local cb = circular_buffer.new(5, 2, 1)
check.equal({cb:get_configuration()}, {5, 2, 1})
check.equal(cb:current_time(), 4e9)
check.equal({cb:get_header(2)}, {"Column_2", "count", "sum"})
check.equal(cb:set_header(1, "a name, too long to keep", "KiB/s long", "max"), 1)
check.equal({cb:get_header(1)}, {"a_name__too_lon", "KiB/s_l", "max"})

-- A cell takes what it is given as its column says.
check.equal(cb:add(2e9, 2, 3), 3)
check.equal(cb:add(2e9, 2, 4), 7)
check.equal(cb:set(2e9, 1, 5), 5)
check.equal(cb:set(2e9, 1, 4), 5, "max")
check.equal(cb:get(2.9e9, 2), 7)
check.equal(cb:get(5e9, 1), nil, "reading moves nothing")
check.equal(cb:set(9e9, 2.9, 1), 1)
check.equal(cb:current_time(), 9e9)
check.equal(cb:add(4e9, 1, 1), nil, "too old")
check.equal(cb:get(8e9, 1), 0 / 0)
check.equal(cb:format("cbufd"), cb)
check.equal(cb:format("cbuf"), cb)

-- The documented example of compute.
cb = circular_buffer.new(5, 1, 1)
for t = 1, 4 do
    cb:set(t * 1e9, 1, t)
end
for name, value in pairs{sum = 10, avg = 2.5, variance = 1.25, sd = 1.25 ^ 0.5, min = 1, max = 4} do
    check.equal({cb:compute(name, 1)}, {value, 4}, name)
end
for name, value in pairs{sum = 7, avg = 3.5, sd = 0.5} do
    check.equal({cb:compute(name, 1, 3e9, 4e9)}, {value, 2}, name)
end
check.equal({cb:compute("sum", 1, 11e9, 14e9)}, {nil, 0})
check.fails("end must be >= start", cb.compute, cb, "sum", 1, 2e9, 1e9)
local empty = circular_buffer.new(5, 1, 1)
check.equal({empty:compute("sum", 1)}, {0, 0})
check.equal({empty:compute("avg", 1)}, {0 / 0, 0})
empty:set(0, 1, -7)
check.equal({empty:compute("max", 1)}, {-7, 1}, "nothing positive")

-- Text is read back as it was.
cb:fromstring("9 4 1 2 3 nan -inf")
check.equal(cb:current_time(), 9e9)
check.equal({cb:compute("min", 1, 6e9, 8e9)}, {2, 2}, "not a number is no data")
check.fails("fromstring() too few values: 1, expected 5", cb.fromstring, cb, "9 4 1")
check.fails("fromstring() too many values, more than: 5", cb.fromstring, cb, "9 4 1 2 3 4 5 6")

for message, call in pairs{
    ["rows must be > 1"] = function() circular_buffer.new(1, 1, 1) end,
    ["columns must be > 0"] = function() circular_buffer.new(2, 0, 1) end,
    ["seconds_per_row is out of range"] = function() circular_buffer.new(2, 1, 0) end,
    ["incorrect number of arguments"] = function() circular_buffer.new(2, 1) end,
    ["column out of range"] = function() cb:get(0, 2) end,
    ["bad argument #4 to 'set_header' (invalid option 'x')"] = function() cb:set_header(1, "a", "b", "x") end,
    ["mozsvc.circular_buffer expected, got number"] = function() cb.add(5, 1, 1, 1) end,
} do
    check.fails(message, call)
end
