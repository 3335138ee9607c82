-- A script that does nothing: what a call costs by itself.
function process_message()
    return 0
end
