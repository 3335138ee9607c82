-- expect: process_message() *too many results to unpack
function process_message()
 local r = unpack({}, 1, 1e8)
 return 0
end
