-- expect: ok
function process_message()
 local ok, why = xpcall(error, error)
 assert(not ok and why == "error in error handling")
 return 0
end
