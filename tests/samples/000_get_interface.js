tim.getMessageExtensions(message);
