-- expect: process_message() *invalid value (table) at index 1 in table for 'concat'
require "table"
function process_message()
 local s = table.concat({{}})
 return 0
end
