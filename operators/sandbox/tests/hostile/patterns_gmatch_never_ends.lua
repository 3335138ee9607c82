-- expect: process_message() *instruction_limit exceeded
require "string"
function process_message()
 for x in string.gmatch(string.rep("a", 1e6), "a*b") do end
 return 0
end
