local cjson = require "cjson"
local check = require "check"

for _, case in ipairs{
    {"[1,null,3]", {1, nil, 3}}, {'{"a":null}', {}}, {"0x10", 16}, {"-Infinity", -1 / 0}, {"007", 7}, {"NaN", 0 / 0},
    {'"\\u00e9\\ud83d\\ude00"', "\195\169\240\159\152\128"}, {"true", true}, {' {"a" : [ ] } ', {a = {}}},
} do
    check.equal(cjson.decode(case[1]), case[2], case[1])
end
for text, message in pairs{
    [""] = "Expected value but found T_END at character 1",
    ["[1,2"] = "Expected comma or array end but found T_END at character 5",
    ["[1,]"] = "Expected value but found T_ARR_END at character 4",
    ['{"a" 1}'] = "Expected colon but found T_NUMBER at character 6",
    ['{"a":1'] = "Expected comma or object end but found T_END at character 7",
    ["{'a'}"] = "Expected object key string but found invalid token at character 2",
    ["1 x"] = "Expected the end but found invalid token at character 3",
    ["\0[\0]"] = "JSON parser does not support UTF-16 or UTF-32",
} do
    check.fails(message, cjson.decode, text)
end
check.fails("bad argument #1 to '?' (string expected, got nil)", cjson.decode, nil)
check.fails("bad argument #1 to '?' (expected 1 argument)", cjson.decode)

check.equal(cjson.decode_max_depth(), 1000)
check.equal(cjson.decode_max_depth(2), 2)
check.fails("Found too many nested data structures (3)", cjson.decode, "[[[1]]]")
check.equal(cjson.decode_invalid_numbers(), true)
check.equal(cjson.decode_invalid_numbers(false), false)
check.fails("invalid", cjson.decode, "NaN")
check.equal(cjson.decode_null(), false)
check.equal(cjson.decode_null(true), true)
check.equal(cjson.decode("null"), cjson.null)
