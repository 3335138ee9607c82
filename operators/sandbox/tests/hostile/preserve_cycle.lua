-- expect: ok
-- then: preserve
t = {} t.t = t t.g = _G
function process_message()
 
 return 0
end
