-- expect: ok
function process_message()
 assert(read_message("Fields[a]", 2^53, 2^53) == nil)
 assert(read_message("Fields[a]", 0/0) == 10)
 assert(read_message("Fields[a]", 1/0) == nil)
 return 0
end
