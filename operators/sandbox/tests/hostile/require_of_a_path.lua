-- expect: process_message() *invalid module name '../secret'
function process_message()
 require "../secret"
 return 0
end
