let promise = tim.setMessageExtensions(message, [{ key: 'a', value: '1' }, { key: 'b', value: '2' }]);
promise.then(function(imResponse) {
  // 设置消息扩展成功
   const { extensions } = imResponse.data;
   extensions.forEach((item) => {
     const { code, key, value } = item;
     if (code === 23001) {
       // 设置 key 冲突，请根据返回的最新扩展信息，按需进行重试
     }
   });
}).catch(function(imError) {
  // 设置消息扩展失败
  console.warn('setMessageExtensions error:', imError);
});
