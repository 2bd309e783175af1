// Code as apps have it that were written for the mirrored SDK's declarations, where answers, lists and events are `any`, handlers are `Function`s and messages
// lack what names them; only the name of the module has changed.

import TencentCloudChat, { ChatSDK, Message } from 'message-extensions';

let chat: ChatSDK = TencentCloudChat.create({ SDKAppID: 1400000000 });
let promise: Promise<any>;

class Vote {
  private message: Message | undefined;
  private votes: any = {};

  start() {
    chat.on(TencentCloudChat.EVENT.SDK_READY, this.onReady, this);
    chat.on(TencentCloudChat.EVENT.MESSAGE_RECEIVED, this.onReceived, this);
    chat.on(TencentCloudChat.EVENT.MESSAGE_EXTENSIONS_UPDATED, this.onUpdated, this);
    chat.on(TencentCloudChat.EVENT.MESSAGE_EXTENSIONS_DELETED, this.onDeleted.bind(this));
    chat.login({ userID: 'alice', userSig: 'eJw' }).then((imResponse: any) => console.log(imResponse.data));
  }

  stop() {
    chat.off(TencentCloudChat.EVENT.SDK_READY, this.onReady, this);
    chat.off(TencentCloudChat.EVENT.MESSAGE_EXTENSIONS_UPDATED, this.onUpdated, this);
    chat.off(TencentCloudChat.EVENT.MESSAGE_EXTENSIONS_DELETED, this.onDeleted);
    return chat.logout().then(() => chat.destroy());
  }

  onReady() {
    this.message = chat.createCustomMessage({
      to: 'lunch',
      conversationType: TencentCloudChat.TYPES.CONV_GROUP,
      payload: { data: '{"title":"Lunch?"}', description: 'vote', extension: '' },
      isSupportExtension: true,
    });
    promise = chat.sendMessage(this.message);
  }

  onReceived(event: any) {
    event.data.forEach((message: Message) => {
      if (message.conversationType === TencentCloudChat.TYPES.CONV_C2C) return;
      if (message.isSupportExtension) this.message = message;
    });
  }

  onUpdated(event: any): void {
    const { messageID, extensions } = event.data;
    if (messageID !== this.message?.ID) return;
    extensions.forEach((item: any) => {
      this.votes[item.key] = item.value;
    });
  }

  onDeleted(event: { name: string; data: any }) {
    for (const key of event.data.keyList) delete this.votes[key];
  }
}

function vote(message: Message, extensions: Array<any>, keyList?: Array<String>) {
  promise = chat.setMessageExtensions(message, extensions);
  promise
    .then(function (imResponse: any) {
      const { extensions } = imResponse.data;
      extensions.forEach((item: any) => {
        const { code, key, value } = item;
        if (code === 23001) console.log(key, value);
      });
    })
    .catch(function (imError: any) {
      console.warn('setMessageExtensions error:', imError.code, imError.message);
    });
  // What is written without a type has ours.
  let read = chat.getMessageExtensions(message);
  read.then(function (imResponse) {
    const { extensions } = imResponse.data;
    extensions.forEach((item) => {
      const { key, value } = item;
      console.log(key.length, value.length);
    });
  }).catch(function (imError) {
    console.warn('getMessageExtensions error:', imError);
  });
  promise = chat.getMessageExtensions(message, keyList);
  promise = chat.deleteMessageExtensions(message, keyList);
  promise = chat.deleteMessageExtensions(message, ['a', 'b']);
  return chat.deleteMessageExtensions(message);
}

/** A wrapper that knows no more of a handler than that it can be called. */
function listen(eventName: TencentCloudChat.EVENT, handler: Function, context?: any) {
  chat.on(eventName, handler, context);
  chat.on(eventName, handler);
  chat.once(eventName, handler);
  return () => chat.off(eventName, handler, context);
}

/** Their declarations do not have these events, and take any string. */
function listenTo(eventName: string, handler: Function, context?: any) {
  chat.on(eventName, handler, context);
  chat.once(eventName, handler);
  chat.off(eventName, handler, context);
}
listenTo('onMessageExtensionsUpdated', (event: any) => console.log(event.data));
chat.on('onMessageExtensionsUpdated', (event: any) => console.log(event.data.extensions));
chat.on((TencentCloudChat.EVENT as any).MESSAGE_EXTENSIONS_DELETED, (event: any) => console.log(event.data.keyList));
for (const name of ['onMessageExtensionsUpdated', 'onMessageExtensionsDeleted']) chat.on(name, (event: any) => console.log(event.data));

let onUpdated = function (event: any) {
  const { messageID, extensions } = event.data;
  console.log(messageID, extensions);
};
chat.on(TencentCloudChat.EVENT.MESSAGE_EXTENSIONS_UPDATED, onUpdated);
chat.off(TencentCloudChat.EVENT.MESSAGE_EXTENSIONS_UPDATED, onUpdated);
let type: TencentCloudChat.TYPES = TencentCloudChat.TYPES.GRP_WORK;

// Beside the mirrored SDK, which goes on to carry the messages: its declarations have enums, and not the fields that name a message.
declare enum THEIR_TYPES {
  CONV_C2C = 'C2C',
  CONV_GROUP = 'GROUP',
  MSG_CUSTOM = 'TIMCustomElem',
  MUTED = 1,
}
declare interface TheirMessage {
  ID: string;
  type: THEIR_TYPES;
  payload: any;
  conversationID: string;
  conversationType: THEIR_TYPES;
  to: string;
  from: string;
  flow: string;
  time: number;
  status: string;
  isRevoked: boolean;
  priority: THEIR_TYPES;
  nick: string;
  isPeerRead: boolean;
  cloudCustomData: string;
  isModified: boolean;
  isSupportExtension: boolean;
}
/** As declarations have it that are older than extensions. */
declare interface TheirOlderMessage {
  ID: string;
  type: THEIR_TYPES;
  payload: any;
  conversationID: string;
  conversationType: THEIR_TYPES;
  to: string;
  from: string;
  flow: string;
  time: number;
  status: string;
  isRevoked: boolean;
}
function besideAnOlderOne(message: TheirOlderMessage) {
  return chat.getMessageExtensions(message);
}
function beside(message: TheirMessage) {
  chat.watchMessageExtensions(message, ({ entries }) => console.log(entries.length));
  return chat.setMessageExtensions(message, [{ key: 'a', value: '1' }]);
}

export { beside, besideAnOlderOne, listen, type, Vote, vote };
