-- expect: process_message() attempt to compare *
require "table"
function process_message()
 table.sort({1, "x", {}, true})
 return 0
end
