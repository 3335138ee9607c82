-- expect: process_message() *loop or previous error loading module 'selfish'
-- module: selfish require "selfish"
function process_message()
 pcall(require, "selfish")
 require "selfish"
 return 0
end
