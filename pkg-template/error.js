// The error that every rejected promise carries.

export class MessageExtensionError extends Error {
  name = 'MessageExtensionError';

  constructor(code, message, data = {}) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

export function isMessageExtensionError(error) {
  return error instanceof Error && error.name === 'MessageExtensionError';
}
