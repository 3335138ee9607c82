-- expect: process_message() *instruction_limit exceeded
require "string"
function process_message()
 while true do pcall(string.rep, "x", 2^30) end
 return 0
end
