let onMessageExtensionsUpdated = function(event) {
const { messageID, extensions } = event.data;
// messageID - Message ID
// extensions - Message extension information
extensions.forEach((item) => {
const { key, value } = item;
// key - Message extension key
// value - Value corresponding to the message extension key
});
};
chat.on(TencentCloudChat.EVENT.MESSAGE_EXTENSIONS_UPDATED, onMessageExtensionsUpdated);
