-- expect: process_message() *invalid value (nil) at index 1 in table for 'concat'
require "table"
function process_message()
 local s = table.concat({}, "", 1, 2^31 - 1)
 return 0
end
