-- expect: process_message() *attempt to call field 'loadlib' (a nil value)
function process_message()
 package.loadlib("libc.so.6", "system")
 return 0
end
