-- expect: ok
function process_message() return 0/0 end
