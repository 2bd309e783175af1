tim.deleteMessageExtensions(message, keyList);
