-- expect: process_message() *inject_message() could not encode protobuf - unsupported array type: table
function process_message()
 local t = {}
 t[1] = t
 inject_message{Fields = {a = t}}
 return 0
end
