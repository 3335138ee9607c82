local check = require "check"
local mysql = require "mysql"

local client = "# User@Host: syncrw[syncrw] @  [127.0.0.1]\n"
local thread = "# Thread_id: 110804  Schema: weave0  QC_hit: No\n"
local query = "# Query_time: 1.178108  Lock_time: 0.000053  Rows_sent: 198  Rows_examined: 198\n"
local scans = "# Full_scan: Yes  Full_join: No  Tmp_table: No  Tmp_table_on_disk: No\n"
    .. "# Filesort: No  Filesort_on_disk: No  Merge_passes: 0\n"
local statements = "SET timestamp=1399500744;\nSELECT 1;"

local fields = {
    Thread_id = 110804, Schema = "weave0", QC_hit = "No",
    Query_time = {value = 1.178108, representation = "s"}, Lock_time = {value = 0.000053, representation = "s"},
    Rows_sent = 198, Rows_examined = 198,
}
local expected = {Hostname = "127.0.0.1", Timestamp = "1399500744000000000", Payload = "SELECT 1;", Fields = fields}
check.equal(mysql.mariadb_slow_query_grammar:match(client .. thread .. query .. statements), expected)

for name, value in pairs{
    Full_scan = "Yes", Full_join = "No", Tmp_table = "No", Tmp_table_on_disk = "No", Filesort = "No", Filesort_on_disk = "No",
    Merge_passes = 0,
} do
    fields[name] = value
end
check.equal(mysql.mariadb_slow_query_grammar:match(client .. thread .. query .. scans .. statements), expected)

expected.Hostname = nil
check.equal(mysql.mariadb_short_slow_query_grammar:match(thread .. query .. scans .. statements), expected)
check.equal(mysql.mariadb_slow_query_grammar:match(client .. query .. statements), nil, "no thread")
