-- expect: process_message() *broken
require "string"
function process_message()
 string.gsub("xxx", "x", function() error("broken") end)
 return 0
end
