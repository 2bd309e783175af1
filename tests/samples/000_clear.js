// 清空所有消息扩展 key
let promise = tim.deleteMessageExtensions(message);
promise.then(function(imResponse) {
   // 清空消息扩展成功
   console.log('deleteMessageExtensions ok:', imResponse)
}).catch(function(imError) {
  // 清空消息扩展失败
  console.warn('deleteMessageExtensions error:', imError);
});
