-- expect: process_message() *instruction_limit exceeded
require "os"
function process_message()
 os.time(setmetatable({}, {__index = function() while true do end end}))
 return 0
end
