-- expect: process_message() *bad argument #1 to 'random' (interval is empty)
require "math"
function process_message()
 local x = math.random(0/0)
 return 0
end
