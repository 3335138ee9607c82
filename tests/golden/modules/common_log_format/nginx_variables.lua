local check = require "check"
local clf = require "common_log_format"

local function parse(format, line)
    return clf.build_nginx_grammar(format):match(line)
end

local function value(v, representation)
    return {value = v, representation = representation}
end

local cases = {
    {"$host", "example.com", {host = value("example.com", "hostname")}},
    {"$remote_addr", "::1", {remote_addr = value("::1", "ipv6")}},
    {"$remote_addr", "10.0.0.1.example.com", {remote_addr = value("10.0.0.1.example.com", "hostname")}},
    {"$remote_addr:$remote_port", "10.0.0.1:443", {remote_addr = value("10.0.0.1", "ipv4"), remote_port = 443}},
    {"${remote_user}x", "ann", nil},
    {"$bytes_sent $connection", "12 7", {bytes_sent = value(12, "B"), connection = 7}},
    {"$bytes_sent $connection", "- -", {}}, -- unknown numbers leave no field
    {"$request_time", "0.005", {request_time = value(0.005, "s")}},
    {"$msec", "1391794831.755", {time = 1391794831755000000}},
    {"$time_iso8601", "2014-02-10T08:46:41-08:00", {time = 1392050801000000000}},
    {"[$time_local]", "[10/Feb/2014:08:46:41 -0800]", {time = 1392050801000000000}},
    {"$https|$is_args|$pipe|$request_completion", "on|?|p|OK", {https = "on", is_args = "?", pipe = "p", request_completion = "OK"}},
    {"$https|$is_args|$pipe|$request_completion", "||.|", {https = "", is_args = "", pipe = ".", request_completion = ""}},
    {"$scheme $request_method $server_protocol", "https GET HTTP/1.1",
        {scheme = "https", request_method = "GET", server_protocol = "HTTP/1.1"}},
    {"$nginx_version", "1.10.3", {nginx_version = "1.10.3"}},
    {"$upstream_addr $upstream_status", "10.0.0.1:80, 10.0.0.2:80 : unix:/x 502, - : 200",
        {upstream_addr = {"10.0.0.1:80", "10.0.0.2:80", "unix:/x"}, upstream_status = {502, 0, 200}}},
    {"$upstream_addr $upstream_response_length", "- -", {upstream_addr = "-", upstream_response_length = "-"}},
    {"$upstream_response_length $upstream_response_time", "10, 20 0.5, -",
        {upstream_response_length = value({10, 20}, "B"), upstream_response_time = value({0.5, 0}, "s")}},
    {"$upstream_cache_status $upstream_cache_last_modified", "HIT Tue, 15 Nov 1994 08:12:31 GMT",
        {upstream_cache_status = "HIT", upstream_cache_last_modified = 784887151000000000}},
    {"$upstream_cache_last_modified", "-", {upstream_cache_last_modified = "-"}},
    {'"$request" "$http_referer"', [["a \"b\" c" ""]], {request = [[a \"b\" c]], http_referer = ""}},
    {"$arg_x|$cookie_y end", "a b|c d end", nil}, -- $cookie_y ends at the next bar, not at white space
    {"$remote_user  $arg_x", "ann \t bob more", {remote_user = "ann", arg_x = "bob"}},
    {"$status", "-", nil},
    {"$status", "20", nil},
}
for _, case in ipairs(cases) do
    check.equal(parse(case[1], case[2]), case[3], case[1] .. " on " .. case[2])
end

check.fails("could not parse the log_format configuration", clf.build_nginx_grammar, "")
check.fails("could not parse the log_format configuration", clf.build_nginx_grammar, nil)
