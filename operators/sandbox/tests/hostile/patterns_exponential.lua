-- expect: process_message() *instruction_limit exceeded
require "string"
function process_message()
 local r = string.find(string.rep("a", 100), string.rep("a*", 30) .. "b")
 return 0
end
