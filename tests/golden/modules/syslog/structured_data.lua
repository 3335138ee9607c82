local check = require "check"
local syslog = require "syslog"

local grammar = syslog.build_rsyslog_grammar("%structured-data%")
local cases = {
    {"-", {}},
    {'[only@1]', {id = "only@1"}},
    {'[a@1 k="v" l="w x"]', {id = "a@1", _k = "v", _l = "w x"}},
    {[==[[a@1 k="say \"[hi\]\" \\ \n"]]==], {id = "a@1", _k = [==[say "[hi]" \ \n]==]}},
    {'[a@1 k="v"][b@2 k="w" l="x"]', {id = {"a@1", "b@2"}, _k = {"v", "w"}, _l = "x"}},
}
for _, case in ipairs(cases) do
    check.equal(grammar:match(case[1])["structured-data"], case[2], case[1])
end
check.equal(grammar:match("[a@1 k=v]"), nil)
