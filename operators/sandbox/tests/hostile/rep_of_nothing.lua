-- expect: ok
require "string"
function process_message()
 assert(string.rep("", 1e9) == "")
 return 0
end
