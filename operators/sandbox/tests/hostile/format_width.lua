-- expect: process_message() *invalid format (width or precision too long)
require "string"
function process_message()
 local r = string.format("%999d", 1)
 return 0
end
