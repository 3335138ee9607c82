-- expect: process_message() *broken
require "table"
function process_message()
 table.sort({3, 2, 1}, function() error("broken") end)
 return 0
end
