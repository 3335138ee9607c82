local check = require "check"
local syslog = require "syslog"

local function parse(template, line)
    return syslog.build_rsyslog_grammar(template):match(line)
end

local cases = {
    {"<%PRI%>%TIMESTAMP:::date-rfc3339% %HOSTNAME% %syslogtag% %msg%", "<165>2014-02-10T12:58:59.123Z host app[9]: hi there", {
        pri = {facility = 20, severity = 5}, timestamp = 1392037139123000000, hostname = "host",
        syslogtag = {programname = "app", pid = 9}, msg = "hi there",
    }},
    {"%syslogtag%%msg:::sp-if-no-1st-sp%%msg:::drop-last-lf%\n", "kernel: up\n", {syslogtag = {programname = "kernel"}, msg = "up"}},
    {"%msg%\\n", "the splitter took the newline", {msg = "the splitter took the newline"}},
    {'{"m":"%msg%","h":"%hostname%"}', '{"m":"a b","h":"-"}', nil}, -- the name runs on to the end of the word
    {'{"m":"%msg%","n":%pri%}', '{"m":"a b","n":3}', {msg = "a b", pri = {facility = 0, severity = 3}}},
    {"%rawmsg%", "all\nof it", {rawmsg = "all\nof it"}},
    {"%source% %fromhost% %fromhost-ip%", "a b ::1", {source = "a", fromhost = "b", ["fromhost-ip"] = "::1"}},
    {"%programname%:%iut% %inputname%", "app:1 imudp", {programname = "app", iut = "1", inputname = "imudp"}},
    {"%pri-text% %msg%", "local0.info<134> m", {["pri-text"] = 16, msg = "m"}},
    {"%syslogfacility% %syslogseverity% %syslogpriority%", "16 6 5", {syslogfacility = 16, syslogseverity = 6, syslogpriority = 5}},
    {"%syslogfacility-text% %syslogseverity-text% %syslogpriority-text%", "authpriv WARNING err",
        {["syslogfacility-text"] = 10, ["syslogseverity-text"] = 4, ["syslogpriority-text"] = 3}},
    {"%timegenerated:::date-mysql% %timereported:::date-pgsql%", "20140210125858 2014-02-10 12:58:59",
        {timegenerated = 1392037138000000000, timestamp = 1392037139000000000}},
    {"%timestamp:::date-unixtimestamp%.%timestamp:::date-subseconds%", "1392037138.25",
        {timestamp = 1392037138000000000, ["timestamp-subseconds"] = 25}},
    {"%protocol-version% %app-name% %procid% %msgid%", "1 app - ID47",
        {["protocol-version"] = "1", ["app-name"] = "app", procid = "-", msgid = "ID47"}},
    {"%$bom%%$now% %$year% %$month% %$day% %$hour% %$hhour% %$qhour% %$minute%",
        "\239\187\1912014-02-10 2014 02 10 12 01 03 58",
        {["$now"] = "2014-02-10", ["$year"] = "2014", ["$month"] = "02", ["$day"] = "10", ["$hour"] = "12", ["$hhour"] = "01",
            ["$qhour"] = "03", ["$minute"] = "58"}},
    {"a\\t\\\"\\'\\\\\\%\\101\\r%iut%", "a\t\"'\\%A\r1", {iut = "1"}},
    {"%HostName:1:5:lowercase%", "host", {hostname = "host"}},
    {"%hostname%", "", nil},
    {"<%pri%>", "<>", {pri = {}}},
}
for _, case in ipairs(cases) do
    check.equal(parse(case[1], case[2]), case[3], case[1] .. " on " .. case[2])
end

check.fails("invalid rsyslog property: 'nonsense'", syslog.build_rsyslog_grammar, "%nonsense%")
for _, template in ipairs{"", "100%", "\\q"} do
    check.fails("could not parse the rsyslog template", syslog.build_rsyslog_grammar, template)
end
check.fails("could not parse the rsyslog template", syslog.build_rsyslog_grammar, nil)
