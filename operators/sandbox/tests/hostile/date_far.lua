-- expect: ok
require "os"
function process_message()
 assert(os.date("%Y", 1e300) == nil and os.date("%Y", 0/0) == "1970")
 return 0
end
