-- expect: process_message() not enough memory
require "string"
function process_message()
 local s = string.rep("x", 1e6)
 while true do s = string.format("%s%s", s, s) end
 return 0
end
