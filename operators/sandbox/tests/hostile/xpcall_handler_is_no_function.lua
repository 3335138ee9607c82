-- expect: ok
function process_message()
 assert(not xpcall(error, nil))
 return 0
end
