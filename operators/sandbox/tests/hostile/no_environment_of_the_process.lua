-- expect: process_message() *attempt to call field 'getenv' (a nil value)
require "os"
function process_message()
 os.getenv("HOME")
 return 0
end
