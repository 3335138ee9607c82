-- expect: process_message() *bad argument #1 to 'select' (index out of range)
function process_message()
 local x = select(-5, 1)
 return 0
end
