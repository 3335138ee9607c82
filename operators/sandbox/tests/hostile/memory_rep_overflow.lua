-- expect: process_message() not enough memory
require "string"
function process_message()
 local r = #string.rep(string.rep("x", 1e6), 1e6)
 return 0
end
