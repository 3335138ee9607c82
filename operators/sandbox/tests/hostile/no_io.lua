-- expect: process_message() *module 'io' disabled
function process_message()
 require "io"
 return 0
end
