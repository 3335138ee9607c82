-- expect: process_message() *invalid format (repeated flags)
require "string"
function process_message()
 local r = string.format("%------d", 1)
 return 0
end
