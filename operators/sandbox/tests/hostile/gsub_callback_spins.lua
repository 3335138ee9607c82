-- expect: process_message() *instruction_limit exceeded
require "string"
function process_message()
 string.gsub("xxx", "x", function() while true do end end)
 return 0
end
