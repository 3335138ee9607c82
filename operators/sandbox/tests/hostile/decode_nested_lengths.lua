-- expect: process_message() *error in tag: 10 wiretype: 2*
require "string"
function process_message()
 decode_message("\10\16" .. string.rep("u", 16) .. "\82\255\255\255\255\15x")
 return 0
end
