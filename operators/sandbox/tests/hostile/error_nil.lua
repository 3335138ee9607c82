-- expect: process_message() (error object is a nil value)
function process_message()
 error()
 return 0
end
