// As much of the mirrored SDK as a fragment uses, declared as loosely as it is there.

declare module '@tencentcloud/chat' {
  interface Message {
    ID: string;
    conversationID: string;
    conversationType: string;
    from: string;
    to: string;
    flow: string;
    time: number;
    status: string;
    isRevoked: boolean;
    isSupportExtension: boolean;
  }
  interface Client {
    on(eventName: string, handler: (event: { data: Message[] }) => void): void;
  }
  const TheirChat: { create(options: { SDKAppID: number }): Client; EVENT: { MESSAGE_RECEIVED: string } };
  export default TheirChat;
}
