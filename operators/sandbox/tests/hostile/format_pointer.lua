-- expect: process_message() *invalid option '%p' to 'format'
require "string"
function process_message()
 local s = string.format("%p", {})
 return 0
end
