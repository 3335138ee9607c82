-- expect: process_message() *attempt to index global 'coroutine' (a nil value)
function process_message()
 coroutine.wrap(function() while true do end end)()
 return 0
end
