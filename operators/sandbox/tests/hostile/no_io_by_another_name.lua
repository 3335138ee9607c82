-- expect: process_message() *module 'io.' not found:*
function process_message()
 require "io."
 return 0
end
