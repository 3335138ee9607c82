local check = require "check"
local mysql = require "mysql"

local client = "# User@Host: syncrw[syncrw] @  [127.0.0.1]\n"
local query = "# Query_time: 2.964652  Lock_time: 0.000050 Rows_sent: 251  Rows_examined: 9773\n"
local statements = "use widget;\nSET last_insert_id=999,insert_id=1000,timestamp=1399500744;\n"
    .. "# administrator command: do something\nSELECT *\nFROM widget;"

local function seconds(value)
    return {value = value, representation = "s"}
end

local function expected(hostname)
    return {
        Hostname = hostname,
        Timestamp = "1399500744000000000",
        Payload = "SELECT *\nFROM widget;",
        Fields = {Query_time = seconds(2.964652), Lock_time = seconds(0.00005), Rows_sent = 251, Rows_examined = 9773},
    }
end

check.equal(mysql.slow_query_grammar:match(client .. query .. statements), expected("127.0.0.1"))
check.equal(mysql.slow_query_grammar:match("# Time: 140507 1:00:00\n" .. client .. query .. statements), expected("127.0.0.1"))
check.equal(mysql.short_slow_query_grammar:match(query .. statements), expected(nil))

-- Users have all kinds of names, or none.
for user, hostname in pairs{
    ["a1[a] @ db1 [10.0.0.1]"] = "10.0.0.1",
    ["app_user-2[app_user-2] @ localhost []"] = "localhost",
    ["[] @ db1 [10.0.0.1]"] = "10.0.0.1",
    ["root[root] @ localhost []  Id:     5"] = "localhost",
} do
    check.equal(mysql.slow_query_grammar:match("# User@Host: " .. user .. "\n" .. query .. statements), expected(hostname), user)
end

-- Times may lack their fraction, and be negative after the clock was set.
local odd = "# Query_time: 3  Lock_time: -0.5 Rows_sent: 0  Rows_examined: 0\n"
check.equal(mysql.short_slow_query_grammar:match(odd .. "SET timestamp=1;\nx;\n"), {
    Timestamp = "1000000000", Payload = "x;\n",
    Fields = {Query_time = seconds(3), Lock_time = seconds(-0.5), Rows_sent = 0, Rows_examined = 0},
})

-- A semicolon within a line does not end the SQL.
check.equal(mysql.short_slow_query_grammar:match(odd .. "SET timestamp=1;\nSELECT ';' ,\n1;\nnot mine").Payload, "SELECT ';' ,\n1;\n")

for _, text in ipairs{"", "bogus", client .. query, client .. statements, query .. statements, client .. query .. "SELECT 1;"} do
    check.equal(mysql.slow_query_grammar:match(text), nil, text)
end
