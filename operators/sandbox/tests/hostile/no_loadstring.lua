-- expect: process_message() *attempt to call global 'loadstring' (a nil value)
function process_message()
 loadstring("x = 1")()
 return 0
end
