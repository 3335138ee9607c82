-- expect: process_message() *pattern too complex
require "string"
function process_message()
 local r = string.find(string.rep("a", 200000), string.rep("a?", 200000) .. "b")
 return 0
end
