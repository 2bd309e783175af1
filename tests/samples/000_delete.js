// 删除消息扩展 key
let promise = tim.deleteMessageExtensions(message, ['a', 'b']);
promise.then(function(imResponse) {
   // 删除消息扩展成功
   const { extensions } = imResponse.data;
   extensions.forEach((item) => {
     const { code, key, value } = item;
     if (code === 23001) {
       // 删除 key 冲突，请根据返回的最新扩展信息，按需进行重试
     }
   });
}).catch(function(imError) {
  // 删除消息扩展失败
  console.warn('deleteMessageExtensions error:', imError);
});
