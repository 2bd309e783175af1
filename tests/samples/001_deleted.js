let onMessageExtensionsDeleted = function(event) {
const { messageID, keyList } = event.data;
// messageID - Message ID
// keyList - List of deleted message extension keys
keyList.forEach((key) => {
// console.log(key)
});
};
chat.on(TencentCloudChat.EVENT.MESSAGE_EXTENSIONS_DELETED, onMessageExtensionsDeleted);
