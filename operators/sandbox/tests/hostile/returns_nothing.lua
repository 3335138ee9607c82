-- expect: process_message() must return a numeric status code
function process_message() end
