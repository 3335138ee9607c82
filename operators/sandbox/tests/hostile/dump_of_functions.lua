-- expect: process_message() *unable to dump given function
require "string"
function process_message()
 local r = string.dump(read_message)
 return 0
end
