-- expect: process_message() *inject_message() could not encode protobuf - unsupported type: table
function process_message()
 local t = {}
 t.value = t
 inject_message{Fields = {a = t}}
 return 0
end
