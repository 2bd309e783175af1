chat.getMessageExtensions(message);
