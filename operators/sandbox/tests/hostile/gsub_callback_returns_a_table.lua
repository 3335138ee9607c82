-- expect: process_message() *invalid replacement value (a table)
require "string"
function process_message()
 string.gsub("xxx", "x", function() return {} end)
 return 0
end
