-- expect: ok
function process_message()
 local get = getfenv
 setfenv(1, {})
 setfenv = nil
 return 0
end
