-- expect: process_message() not enough memory
require "string"
function process_message()
 local s = string.rep("x", 1e5)
 local r = string.gsub(s, ".", s)
 return 0
end
