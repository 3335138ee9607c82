-- expect: process_message() *test.lua:4: module 'xxxxxxxx*
require "string"
function process_message()
 require(string.rep("x", 100000))
 return 0
end
