-- expect: process_message() *instruction_limit exceeded
require "string"
function process_message()
 local r = string.gsub(string.rep("a", 1000), string.rep(".-", 30) .. "b", "")
 return 0
end
