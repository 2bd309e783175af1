chat.deleteMessageExtensions(message, keyList);
