-- expect: process_message() aborted
-- calls: 2
function process_message()
 error("aborted", 0)
 return 0
end
