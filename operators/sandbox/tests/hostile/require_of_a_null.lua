-- expect: process_message() *invalid module name*
function process_message()
 require "a\0b"
 return 0
end
