-- expect: process_message() *inject_message() could not encode protobuf - unsupported type: nil
function process_message()
 local t = {}
 t.Fields = t
 inject_message(t)
 return 0
end
