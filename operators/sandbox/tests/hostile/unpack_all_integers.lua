-- expect: process_message() *too many results to unpack
function process_message()
 local r = unpack({}, -2147483648, 2147483647)
 return 0
end
