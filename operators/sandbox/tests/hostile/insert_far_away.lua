-- expect: process_message() *bad argument #2 to 'insert' (position out of bounds)
require "table"
function process_message()
 table.insert({}, -2^31, 1)
 return 0
end
