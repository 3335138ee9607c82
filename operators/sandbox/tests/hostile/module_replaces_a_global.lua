-- expect: ok
function process_message()
 module("m", package.seeall)
 assert(_NAME == "m")
 return 0
end
