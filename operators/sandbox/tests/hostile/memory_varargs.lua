-- expect: process_message() instruction_limit exceeded
function process_message()
 local function grow(...) return grow(1, ...) end
 grow()
 return 0
end
