-- expect: positive
function process_message() return 1/0 end
