-- expect: process_message() *name conflict for module 'read_message'
function process_message()
 module("read_message")
 return 0
end
