-- expect: process_message() *instruction_limit exceeded
require "table"
function process_message()
 table.sort({3, 2, 1}, function() while true do end end)
 return 0
end
