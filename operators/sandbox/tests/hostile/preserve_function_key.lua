-- expect: preserve: serialize_data cannot preserve type 'function'
-- then: preserve
t = {[type] = 1}
function process_message()
 
 return 0
end
