-- expect: process_message() *stack overflow (string slice too long)
require "string"
function process_message()
 local r = string.byte(string.rep("x", 1e6), 1, -1)
 return 0
end
