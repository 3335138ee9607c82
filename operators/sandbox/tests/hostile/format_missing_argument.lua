-- expect: process_message() *bad argument #2 to 'format' (no value)
require "string"
function process_message()
 local s = string.format("%d")
 return 0
end
