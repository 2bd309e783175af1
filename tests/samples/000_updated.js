let onMessageExtensionsUpdated = function(event) {
  const { messageID, extensions } = event.data;
  // messageID - 消息 ID
  // extensions - 消息扩展列表
  extensions.forEach((item) => {
   const { key, value } = item;
   // key - 消息扩展 key
   // value - 消息扩展 key 对应的 value 值
  });
};
tim.on(TIM.EVENT.MESSAGE_EXTENSIONS_UPDATED, onMessageExtensionsUpdated);
