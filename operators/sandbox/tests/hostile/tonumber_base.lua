-- expect: process_message() *bad argument #2 to 'tonumber' (base out of range)
function process_message()
 local x = tonumber("1", 99)
 return 0
end
