-- expect: process_message() *attempt to index field 'loaded' (a nil value)
function process_message()
 package.loaded.io = {}
 return 0
end
