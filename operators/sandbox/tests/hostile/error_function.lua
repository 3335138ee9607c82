-- expect: process_message() (error object is a function value)
function process_message()
 error(error)
 return 0
end
