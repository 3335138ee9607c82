-- expect: process_message() *bad argument #1 to 'getfenv' (invalid level)
function process_message()
 getfenv(100)
 return 0
end
