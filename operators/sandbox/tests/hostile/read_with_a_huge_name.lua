-- expect: ok
require "string"
function process_message()
 assert(read_message(string.rep("F", 1e6)) == nil)
 return 0
end
