-- expect: process_message() *error in tag:*
require "string"
function process_message()
 decode_message(string.rep("\255", 1000))
 return 0
end
