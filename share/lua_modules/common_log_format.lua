--[=[
# common_log_format

Builds grammars for the access logs of nginx and Apache from the very format string of the web server's configuration.

| name | result |
|---|---|
| `build_nginx_grammar(log_format)` | a pattern for lines written with nginx's `log_format` |
| `build_apache_grammar(log_format)` | the same for Apache's `LogFormat` |
| `nginx_error_grammar` | a pattern for lines of nginx's error log |
| `normalize_user_agent(text)` | browser, version (a number) and operating system; each may be nil |

An access grammar captures one table that fits into the `Fields` of a message: its keys are the names of the variables.
Numbers are numbers; addresses, sizes and durations are `{value = …, representation = …}` with the representations
`ipv4`, `ipv6`, `hostname`, `B`, `s` and `us`. The time of the line is under `time` in nanoseconds. A number that was
not known when the line was written (`-`) is left out.

White space in the format matches one or more characters of white space; other text matches itself. A variable without a
notation of its own is text. It ends before the last character of the text in front of it: after a double quote at the
next double quote that no backslash escapes, after white space at the next white space.

`nginx_error_grammar` captures a table that `inject_message` takes: `Timestamp`, `Severity`, `Pid`, `Payload`, and
`Fields` with `tid` and `connection`.

All of it is made when it is first asked for, so `pairs` does not meet what was not.

## Example

    local clf = require "common_log_format"
    local grammar = clf.build_nginx_grammar('$remote_addr [$time_local] "$request" $status')
    local fields = grammar:match('127.0.0.1 [10/Feb/2014:08:46:41 -0800] "GET / HTTP/1.1" 200')
    -- fields.time == 1392050801000000000, fields.status == 200, fields.remote_addr.representation == "ipv4"
--]=]

local lazy = require "lazy"

return lazy.entries({}, {
    build_nginx_grammar = "nginx_log_format",
    build_apache_grammar = "apache_log_format",
    nginx_error_grammar = "nginx_error_log",
    normalize_user_agent = "user_agent",
})
