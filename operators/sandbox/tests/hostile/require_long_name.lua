-- expect: process_message() *module '*
require "string"
function process_message()
 require(string.rep("x", 100000))
 return 0
end
