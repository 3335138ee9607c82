local cjson = require "cjson"
local check = require "check"
local math = require "math"
local string = require "string"

check.equal(cjson._NAME, "cjson")
check.equal(type(cjson._VERSION), "string")
for _, case in ipairs{
    {{value = 1}, '{"value":1}'},
    {{1, 2, 3}, "[1,2,3]"},
    {{x = 1, _m = 1, _private = {1, 2}}, '{"x":1,"_m":1,"_private":[1,2]}'},
    {{["special\tcharacters"] = "\"\t\r\n\b\f\\/"}, [[{"special\tcharacters":"\"\t\r\n\b\f\\\/"}]]},
    {{}, "{}"},
    {{1, nil, 3}, "[1,null,3]"},
    {{[1.5] = 1}, '{"1.5":1}'},
    {{cjson.null}, "[null]"},
    {123456789012345678, "1.2345678901235e+17"},
    {"\1\127\233", "\"\\u0001\\u007f\233\""},
} do
    check.equal(cjson.encode(case[1]), case[2])
end
check.equal(cjson.encode(tonumber "-0"), "-0")
for message, value in pairs{
    ["Cannot serialise table: excessively sparse array"] = {[1] = 1, [100] = 1},
    ["Cannot serialise boolean: table key must be a number or string"] = {[true] = 1},
    ["Cannot serialise number: must not be NaN or Infinity"] = 0 / 0,
    ["Cannot serialise function: type not supported"] = check.equal,
} do
    check.fails(message, cjson.encode, value)
end
local deep = {}
for _ = 1, 1000 do
    deep = {deep}
end
check.fails("Cannot serialise, excessive nesting (1001)", cjson.encode, deep)
check.fails("strbuf output_limit exceeded", cjson.encode, string.rep("x", 70000))

-- The settings are given back as they are.
check.equal({cjson.encode_sparse_array()}, {false, 2, 10})
check.equal({cjson.encode_sparse_array(true)}, {true, 2, 10})
check.equal(cjson.encode{[1] = 1, [100] = 1}, '{"1":1,"100":1}')
check.equal(cjson.encode_max_depth(), 1000)
check.equal(cjson.encode_max_depth(1), 1)
check.fails("excessive nesting (2)", cjson.encode, {{}})
check.equal(cjson.encode_number_precision(), 14)
check.equal(cjson.encode_number_precision(3), 3)
check.equal(cjson.encode(3.14159), "3.14")
check.equal(cjson.encode_invalid_numbers(), false)
check.equal(cjson.encode_invalid_numbers(true), true)
check.equal(cjson.encode(math.huge), "Infinity")
