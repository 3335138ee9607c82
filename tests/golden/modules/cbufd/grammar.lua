local check = require "check"
local grammar = require("cbufd").grammar

check.equal(grammar:match('{"h":1}\n60\t5\tnan\n0\t-1.5\t2\n'), {
    header = '{"h":1}',
    {time = 60e9, 5, 0 / 0},
    {time = 0, -1.5, 2},
})
check.equal(grammar:match('{}\n60\t1e+17\t-2.5E-3\n60\tinf\t-inf\n'), {
    header = "{}",
    {time = 60e9, 1e17, -2.5e-3},
    {time = 60e9, 1 / 0, -1 / 0},
}, "what a double prints as")

for _, text in ipairs{
    "", "bogus", '{"h":1}\n', '{"h":1}\n60\n', '{"h":1}\n60\t5', '{"h":1}\n60\t5\nmore', '{"h":1}\n60\tx\n', '{"h":1}\n60 5\n',
} do
    check.equal(grammar:match(text), nil, text)
end
