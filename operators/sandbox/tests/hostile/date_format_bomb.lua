-- expect: process_message() *
require "os" require "string"
function process_message()
 while true do os.date(string.rep("%c", 1e5)) end
 return 0
end
