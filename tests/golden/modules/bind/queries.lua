local check = require "check"
local lpeg = require "lpeg"
local grammar = lpeg.Ct(require("bind").query_log_grammar)

local function line(client, name, question, server)
    return "27-May-2015 21:06:49.246 queries: info: client " .. client .. " (" .. name .. "): query: " .. question .. " (" .. server .. ")"
end

check.equal(grammar:match(line("10.0.1.70#41242", "webserver.company.com", "webserver.company.com IN A +E", "10.0.1.71")), {
    Timestamp = 1432760809000000000,
    ClientIP = {value = "10.0.1.70", representation = "ipv4"},
    ClientEphemeralPort = "41242",
    FullQuery = "webserver.company.com", QueryName = "webserver", QueryDomain = "company.com",
    RecordClass = "IN", RecordType = "A",
    QueryFlags = {"recursion requested", "EDNS used"},
    ServerRespondingIP = {value = "10.0.1.71", representation = "ipv4"},
})

local newer = grammar:match(line("@0x7f8a9c0 2001:db8::1#53", "a.example", "view inner: query", "::1"))
check.equal(newer, nil)
newer = grammar:match("27-May-2015 21:06:49.246 queries: info: client @0x7f8a9c0 2001:db8::1#53 (a.example): view inner: "
    .. "query: a.example IN HTTPS -E(0)SDCTK (::1)")
check.equal(newer.ClientIP, {value = "2001:db8::1", representation = "ipv6"})
check.equal(newer.RecordType, "HTTPS")
check.equal(newer.QueryFlags, {
    "recursion not requested", "EDNS used", "query signed", "DNSSEC data wanted", "no DNSSEC validation check", "TCP used",
    "client cookie",
})

for _, record_type in ipairs{"A", "AAAA", "DLV", "NSEC3PARAM", "TYPE65", "*", "DNSKEY", "SPF"} do
    check.equal(grammar:match(line("10.0.0.1#1", "a.b", "a.b IN " .. record_type .. " +", "10.0.0.2")).RecordType, record_type)
end

for _, text in ipairs{
    "bogus",
    line("10.0.0.1#1", "github", "github IN A +", "10.0.0.2"),
    line("10.0.0.1#1", "a.b", "a.b. IN A +", "10.0.0.2"),
    line("10.0.0.1#1", "a.b", "a.b XX A +", "10.0.0.2"),
    line("10.0.0.1#1", "a.b", "a.b IN  +", "10.0.0.2"),
    "27-May-2015 21:06:49.246 queries: info: client 10.0.1.70#41242: query: a.b IN A + (10.0.0.2)",
} do
    check.equal(grammar:match(text), nil, text)
end
