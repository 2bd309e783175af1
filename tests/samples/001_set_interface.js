chat.setMessageExtensions(message, extensions);
