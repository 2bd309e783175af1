let onMessageExtensionsDeleted = function(event) {
  const { messageID, keyList } = event.data;
  // messageID - 消息 ID
  // keyList - 被删除的消息扩展 key 列表
  keyList.forEach((key) => {
   // console.log(key)
  });
};
tim.on(TIM.EVENT.MESSAGE_EXTENSIONS_DELETED, onMessageExtensionsDeleted);
