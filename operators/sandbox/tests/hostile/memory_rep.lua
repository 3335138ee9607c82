-- expect: process_message() not enough memory
require "string"
function process_message()
 local r = string.rep("x", 1e9)
 return 0
end
