-- expect: process_message() ��
function process_message()
 error("\255\254", 0)
 return 0
end
