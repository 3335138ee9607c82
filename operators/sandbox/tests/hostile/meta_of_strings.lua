-- expect: process_message() *instruction_limit exceeded
require "string"
function process_message()
 getmetatable("").__index = function() while true do end end
 local r = ("x").y
 return 0
end
