local check = require "check"
local clf = require "common_log_format"

local function parse(format, line)
    return clf.build_apache_grammar(format):match(line)
end

local function value(v, representation)
    return {value = v, representation = representation}
end

local cases = {
    {"%a %A", "10.0.0.1 ::1", {remote_addr = value("10.0.0.1", "ipv4"), server_addr = value("::1", "ipv6")}},
    {"%{c}a", "10.0.0.1", {remote_addr = value("10.0.0.1", "ipv4")}},
    {"%b %B", "- -", {body_bytes_sent = value(0, "B")}}, -- %b has - for zero, the other for what is not known
    {"%b", "17", {body_bytes_sent = value(17, "B")}},
    {"%I %O %S", "1 2 3", {request_length = value(1, "B"), response_length = value(2, "B"), total_length = value(3, "B")}},
    {"%D", "1500", {request_time = value(1500, "us")}},
    {"%T", "2", {request_time = value(2, "s")}},
    {"%k %p %P", "1 443 99", {connection_requests = 1, server_port = 443, pid = 99}},
    {"%>s %m %H", "200 GET HTTP/1.1", {status = 200, request_method = "GET", server_protocol = "HTTP/1.1"}},
    {"%t", "[10/Oct/2000:13:55:36 -0700]", {time = 971211336000000000}},
    {"%X%X%X", "+-X", {connection_status = "X"}},
    {"%f %u %L %q %R %U", "/f ann id ?a=b h /u",
        {request_filename = "/f", remote_user = "ann", request_log_id = "id", query_string = "?a=b", request_handler = "h", uri = "/u"}},
    {"%%%s%%", "%200%", {status = 200}},
    {"%{Foo}C %{HOME}e %{ratio}n", "c e n", {cookie_Foo = "c", env_HOME = "e", module_ratio = "n"}},
    {"%!200,304{X-Forwarded-For}i %{Set-Cookie}o", "i o", {http_x_forwarded_for = "i", sent_http_set_cookie = "o"}},
    {"%{canonical}p %{local}p %{remote}p", "1 2 3", {server_port = 2, remote_port = 3}},
    {"%{pid}P %{tid}P", "1 2", {pid = 1, tid = 2}},
    {"%{hextid}P", "ff", {tid = 255}},
    {"%{sec}t", "971211336", {time = 971211336000000000}},
    {"%{end:usec}t", "971211336000001", {time = 971211336000001000}},
    {"%{begin:sec}t.%{msec_frac}t", "971211336.250", {time = 971211336000000000, sec_frac = 0.25}},
    {"%{usec_frac}t", "250000", {sec_frac = 0.25}},
    {"%{%Y-%m-%d %T}t", "2000-10-10 20:55:36", {time = 971211336000000000}},
    {[[\"%r\"]], [["GET / HTTP/1.0"]], {request = "GET / HTTP/1.0"}},
    {[[\t%U\t%q]], "\ta b\tc d", {uri = "a b", query_string = "c d"}}, -- after a tab the text ends at the next tab
    {[[%s\174%q\174%u]], "200|a b|c d", {status = 200, query_string = "a b", remote_user = "c d"}},
}
for _, case in ipairs(cases) do
    check.equal(parse(case[1], case[2]), case[3], case[1] .. " on " .. case[2])
end

check.fails("could not parse the log_format configuration", clf.build_apache_grammar, "")
check.fails("unknown variable: Z", clf.build_apache_grammar, "%Z")
check.fails("unknown port format: x", clf.build_apache_grammar, "%{x}p")
check.fails("unknown pid format: x", clf.build_apache_grammar, "%{x}P")
