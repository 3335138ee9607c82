-- expect: process_message() *attempt to call global 'read_message' (a nil value)
function process_message()
 read_message = nil
 read_message("Type")
 return 0
end
