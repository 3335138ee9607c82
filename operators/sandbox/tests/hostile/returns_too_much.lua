-- expect: ok
function process_message() return 0, nil, 1, 2, 3, {} end
