-- expect: process_message() 5.5
function process_message()
 error(5.5, 0)
 return 0
end
