-- expect: process_message() *stack overflow
require "string"
local function deep() return string.gsub("x", "x", deep) end
function process_message()
 deep()
 return 0
end
