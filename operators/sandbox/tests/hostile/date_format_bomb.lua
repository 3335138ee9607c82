-- expect: process_message() *bad argument #1 to 'date' (format results in too long a text)
require "os" require "string"
function process_message()
 while true do os.date(string.rep("%c", 1e5)) end
 return 0
end
