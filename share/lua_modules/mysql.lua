--[=[
# mysql

Grammars for the records of the slow query logs of MySQL and MariaDB.

| grammar | starts at the line |
|---|---|
| `slow_query_grammar`, `mariadb_slow_query_grammar` | `# Time:`, which may be missing, or `# User@Host:` |
| `short_slow_query_grammar` | `# Query_time:` |
| `mariadb_short_slow_query_grammar` | `# Thread_id:` |

They capture a table that `inject_message` takes: `Hostname` (the address of the client; its name if there is none),
`Timestamp` (from the `SET timestamp`), `Payload` (the SQL), and `Fields` with `Query_time`, `Lock_time`, `Rows_sent`
and `Rows_examined`; for MariaDB also `Thread_id`, `Schema`, `QC_hit`, and, where the log has them, `Full_scan`,
`Full_join`, `Tmp_table`, `Tmp_table_on_disk`, `Filesort`, `Filesort_on_disk` and `Merge_passes`.

## Example

    # User@Host: syncrw[syncrw] @  [127.0.0.1]
    # Query_time: 2.964652  Lock_time: 0.000050 Rows_sent: 251  Rows_examined: 9773
    use widget;
    SET last_insert_id=999,insert_id=1000,timestamp=1399500744;
    SELECT * FROM widget WHERE id = 10;
--]=]

local lpeg = require "lpeg"

local P, S, C, Cc, Cg, Ct = lpeg.P, lpeg.S, lpeg.C, lpeg.Cc, lpeg.Cg, lpeg.Ct

lpeg.locale(lpeg)
local digit, space = lpeg.digit, lpeg.space

local M = {}

local blank = S" \t"
local rest_of_line = (1 - P"\n") ^ 0 * "\n"
local line_end = blank ^ 0 * P"\r" ^ -1 * "\n"

local integer = P"-" ^ -1 * digit ^ 1
local number = integer * (P"." * digit ^ 1) ^ -1 / tonumber
local seconds = Ct(Cg(number, "value") * Cg(Cc"s", "representation"))
local yes_no = C(P"Yes" + "No")

--- `name: value` as a field, and the white space after it.
local function field(name, value)
    return P(name) * ":" * blank ^ 0 * Cg(value, name) * blank ^ 0
end

--[[ Header lines ---------------------------------------------------------------------------------------------------]]

local time_line = P"# Time:" * rest_of_line

-- User names may be empty. Without an address in the brackets the host is known by its name only.
local user = (1 - S"[]\n") ^ 0 * "[" * (1 - S"[]\n") ^ 0 * "]"
local host_name = (1 - (S"[\n" + space)) ^ 1
local address = host_name ^ -1 * blank ^ 0 * "[" * Cg(C((1 - S"]\n") ^ 1), "Hostname") * "]"
local no_address = Cg(C(host_name), "Hostname") * blank ^ 0 * "[]" + P"[]"
local user_line = P"# User@Host:" * blank ^ 0 * user * blank ^ 0 * "@" * blank ^ 0 * (address + no_address)
    * rest_of_line

local query_line = P"# " * field("Query_time", seconds) * field("Lock_time", seconds)
    * field("Rows_sent", number) * field("Rows_examined", number) * rest_of_line

local schema = C((1 - space) ^ 0)
local thread_line = P"# " * field("Thread_id", number) * field("Schema", schema) * field("QC_hit", yes_no)
    * rest_of_line
local scan_line = P"# " * field("Full_scan", yes_no) * field("Full_join", yes_no)
    * field("Tmp_table", yes_no) * field("Tmp_table_on_disk", yes_no) * rest_of_line
local sort_line = P"# " * field("Filesort", yes_no) * field("Filesort_on_disk", yes_no)
    * field("Merge_passes", number) * rest_of_line

--[[ Statements -----------------------------------------------------------------------------------------------------]]

local statement_end = P";" * (line_end + blank ^ 0 * -1)

local use_line = P"use " * (1 - statement_end) ^ 1 * statement_end

-- The nine zeros after %0, the number itself, make nanoseconds of it.
local timestamp = Cg(digit ^ 1 / "%0000000000", "Timestamp")
local set_line = P"SET " * (P"last_insert_id=" * integer * ",") ^ -1 * (P"insert_id=" * integer * ",") ^ -1
    * "timestamp=" * timestamp * (P"." * digit ^ 1) ^ -1 * statement_end

local administrator_line = P"# administrator command:" * rest_of_line

local sql = Cg(C((1 - statement_end) ^ 0 * statement_end), "Payload")

local statements = use_line ^ -1 * set_line * administrator_line ^ -1 * sql

--[[ Records --------------------------------------------------------------------------------------------------------]]

local mysql_fields = Cg(Ct(query_line), "Fields")
local mariadb_fields = Cg(Ct(thread_line * query_line * (scan_line * sort_line) ^ -1), "Fields")

local client = time_line ^ -1 * user_line

M.slow_query_grammar = Ct(client * mysql_fields * statements)
M.short_slow_query_grammar = Ct(mysql_fields * statements)
M.mariadb_slow_query_grammar = Ct(client * mariadb_fields * statements)
M.mariadb_short_slow_query_grammar = Ct(mariadb_fields * statements)

return M
