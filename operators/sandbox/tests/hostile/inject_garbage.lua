-- expect: process_message() *inject_message() protobuf unmarshal failed
function process_message()
 inject_message("\255\255\255")
 return 0
end
