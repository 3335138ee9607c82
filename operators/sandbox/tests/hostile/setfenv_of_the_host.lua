-- expect: process_message() *'setfenv' cannot change environment of given object
function process_message()
 setfenv(read_message, {})
 return 0
end
