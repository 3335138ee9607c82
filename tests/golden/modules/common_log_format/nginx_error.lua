local check = require "check"
local clf = require "common_log_format"

check.equal(clf.nginx_error_grammar:match('2014/01/10 07:04:56 [notice] 16842#0: *8878 using inherited sockets from "6;"'), {
    Timestamp = 1389337496000000000,
    Severity = 5,
    Pid = 16842,
    Fields = {tid = 0, connection = 8878},
    Payload = 'using inherited sockets from "6;"',
})
check.equal(clf.nginx_error_grammar:match("1970/01/01 00:00:01 [emerg] 1#2: x"), {
    Timestamp = 1e9, Severity = 0, Pid = 1, Fields = {tid = 2}, Payload = "x",
})
check.equal(clf.nginx_error_grammar:match("bogus"), nil)
