local check = require "check"
local grammar = require("sfl4j").logevent_grammar

check.equal(grammar:match("ERROR [2014-11-21 16:35:59,501] com.x.Q: failed\n  at a\n  at b\n"), {
    severity = 3, timestamp = 1416587759501000000, class = "com.x.Q", message = "failed", stacktrace = "  at a\n  at b\n",
})
check.equal(grammar:match("info  [1970-01-01 00:00:01,000] Q: a: b"), {
    severity = 6, timestamp = 1e9, class = "Q", message = "a: b", stacktrace = "",
})
for level, severity in pairs{TRACE = 7, debug = 7, INFO = 6, warn = 4, WARN = 4, error = 3, FATAL = 0, fatal = 0} do
    check.equal(grammar:match(level .. " [1970-01-01 00:00:01,000] Q: m\n").severity, severity, level)
end
for _, text in ipairs{"", "NOISE [1970-01-01 00:00:01,000] Q: m\n", "INFO [1970-01-01 00:00:01] Q: m\n"} do
    check.equal(grammar:match(text), nil, text)
end
