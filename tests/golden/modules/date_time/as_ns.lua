-- The nanoseconds are right whether the text was seen before or not, and nothing else is captured.
local check = require "check"
local dt = require "date_time"

local grammar = dt.as_ns(dt.clf_timestamp)
for _, text in ipairs{"10/Feb/2014:08:46:41 -0800", "10/Feb/2014:08:46:41 -0800", "10/Feb/2014:16:46:41 +0000"} do
    check.equal({grammar:match(text)}, {1392050801000000000}, text)
end
check.equal({grammar:match("10/Feb/2014:08:46:42 -0800")}, {1392050802000000000})
check.equal(grammar:match("10/Fob/2014:08:46:42 -0800"), nil)
