-- expect: process_message() *attempt to index global 'debug' (a nil value)
function process_message()
 debug.sethook()
 return 0
end
