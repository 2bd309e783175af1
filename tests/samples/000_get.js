let promise = tim.getMessageExtensions(message);
promise.then(function(imResponse) {
  // 获取消息扩展成功
   const { extensions } = imResponse.data;
   extensions.forEach((item) => {
     const { key, value } = item;
     // key - 消息扩展 key
     // value - 消息扩展 key 对应的 value 值
   });
}).catch(function(imError) {
  // 获取消息扩展失败
  console.warn('getMessageExtensions error:', imError);
});
