-- expect: process_message() instruction_limit exceeded
require "string"
function process_message()
 local s = string.rep("x", 60000)
 while true do pcall(add_to_payload, s) end
 return 0
end
