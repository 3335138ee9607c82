-- expect: load: Init() instruction_limit exceeded
while true do end
