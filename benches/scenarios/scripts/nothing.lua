-- A script that has nothing to do: what a sandbox takes by itself.
function process_message()
    return 0
end
