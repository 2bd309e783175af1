tim.setMessageExtensions(message, extensions);
