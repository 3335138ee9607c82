-- expect: ok
require "table"
function process_message()
 local t = {}
 table.insert(t, 2^31 - 1, 1)
 return 0
end
