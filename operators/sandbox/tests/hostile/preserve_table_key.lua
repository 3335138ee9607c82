-- expect: preserve: serialize_data cannot preserve type 'table'
-- then: preserve
t = {[{}] = 1}
function process_message()
 
 return 0
end
