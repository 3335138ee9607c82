-- expect: ok
function process_message()
 local function h() return xpcall(error, h) end
 xpcall(error, h)
 return 0
end
