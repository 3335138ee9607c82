-- expect: process_message() *'setn' is obsolete
require "table"
function process_message()
 table.setn({}, 2^30)
 return 0
end
