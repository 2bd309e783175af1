/**
 * message-extensions: shared key/value state on chat messages. Live votes, sign-up chains, questionnaires.
 *
 * The API mirrors the message-extension API of Tencent Cloud Chat's web SDK: what is marked "mirrored" is as its page about message extensions has it. Sizes
 * are bytes of UTF-8.
 */

import type { MessageExtensionErrorCode, MessageExtensionItemCode } from './codes.js';

// --------------------------------------------------------------------------------------------------------------- chat

/**
 * The instance for an app; the WebAssembly part loads behind it.
 *
 * @throws {MessageExtensionError} when SDKAppID or endpoint cannot be used.
 */
export declare function create(options: CreateOptions): Chat;

/** One user's connection of one app. Everything that waits settles within 15 seconds, and those for the WebAssembly to load; bad input rejects with a code. */
export interface Chat {
  /**
   * Logs in. Resolves when the server has accepted the user, or, without network, when something is kept for them (see
   * {@link CreateOptions.persistence}); {@link EVENT.SDK_READY} follows. The signature is then checked later; if the server refuses it, the session ends:
   * {@link EVENT.SDK_NOT_READY}, and {@link EVENT.ERROR} with the code that `login` would have rejected with, such as 70001.
   */
  login(options: LoginOptions): Promise<ChatResponse<ActionData>>;
  /** Logs out; calls that are open reject with 3005. */
  logout(options?: LogoutOptions): Promise<ChatResponse<ActionData>>;
  /** Logs out and lets go of everything; the instance cannot be used again. */
  destroy(): Promise<ChatResponse<ActionData>>;

  /**
   * Calls `handler` on each such event, with `context` as its `this`; the name of the event decides what the handler gets. The same function added twice is
   * called twice.
   */
  on<Name extends ChatEventName>(event: Name, handler: ChatEventHandler<Name>): void;
  on<Name extends ChatEventName, Context>(
    event: Name,
    handler: (this: Context, event: ChatEvent<Name>) => void,
    context: Context,
  ): void;
  on<Handler extends Function>(event: ChatEventName, handler: UntypedHandler<Handler>, context?: unknown): void;
  on<Name extends string>(event: UntypedName<Name>, handler: Function, context?: unknown): void;
  /** Calls `handler` on the next such event only. */
  once<Name extends ChatEventName>(event: Name, handler: ChatEventHandler<Name>): void;
  once<Name extends ChatEventName, Context>(
    event: Name,
    handler: (this: Context, event: ChatEvent<Name>) => void,
    context: Context,
  ): void;
  once<Handler extends Function>(event: ChatEventName, handler: UntypedHandler<Handler>, context?: unknown): void;
  once<Name extends string>(event: UntypedName<Name>, handler: Function, context?: unknown): void;
  /** Takes `handler` off again, as often as it was added. What comes after the handler does not count. */
  off<Name extends ChatEventName>(event: Name, handler: ChatEventHandler<Name>, context?: unknown): void;
  off<Handler extends Function>(event: ChatEventName, handler: UntypedHandler<Handler>, context?: unknown): void;
  off<Name extends string>(event: UntypedName<Name>, handler: Function, context?: unknown): void;

  /**
   * Sets 1 to 20 keys of a message, at most 300 keys a message (mirrored). Resolves also when some keys were refused: look at each item's `code`.
   * All members get {@link EVENT.MESSAGE_EXTENSIONS_UPDATED}. Rejects with 9001, 9002, 9003 or 2998 when the arguments will not do, else with what the
   * server said.
   */
  setMessageExtensions(
    message: MessageLike,
    extensions: readonly Readonly<MessageExtension>[],
  ): Promise<ChatResponse<{ extensions: MessageExtensionWriteResult[] }>>;
  /** All keys of a message (mirrored), or those of `keyList`. Keys that the message does not have are left out. */
  getMessageExtensions(
    message: MessageLike,
    keyList?: KeyList,
    options?: GetMessageExtensionsOptions,
  ): Promise<ChatResponse<{ extensions: MessageExtension[] }>>;
  /**
   * Deletes 1 to 20 keys of a message, or all without `keyList` (mirrored), and with an empty one, see {@link CreateOptions.refuseEmptyKeyList}.
   * All members get {@link EVENT.MESSAGE_EXTENSIONS_DELETED}. Deleting all is never queued, and resolves with no items.
   */
  deleteMessageExtensions(
    message: MessageLike,
    keyList?: KeyList,
  ): Promise<ChatResponse<{ extensions: MessageExtensionWriteResult[] }>>;
  /**
   * Reads a key, calls `fn` with its value (undefined when it has none), and sets what `fn` returns, or deletes the key when that is undefined. When
   * somebody else has written the key meanwhile, it starts again with their value, at most 10 times; then it rejects with 23001. What `fn` throws
   * rejects the promise. It is never queued.
   */
  mutateMessageExtension(
    message: MessageLike,
    key: string,
    fn: (value: string | undefined) => string | undefined | Promise<string | undefined>,
  ): Promise<ChatResponse<{ extensions: MessageExtensionResult[] }>>;
  /**
   * Calls `listener` with what the message shows, at first and after every change: once a change, however many keys it has. Own writes are shown at once, as
   * pending or queued. It may be called before login, shows what is kept as soon as `login` is called, and goes on after another login. What goes wrong is
   * an {@link EVENT.ERROR}; with 23004, when the user has left the group, the snapshot is empty and not synced. Returns the function that ends it.
   */
  watchMessageExtensions(message: MessageLike, listener: (snapshot: MessageExtensionsSnapshot) => void): () => void;
  watchMessageExtensions(
    message: MessageLike,
    listener: (snapshot: MessageExtensionsSnapshot & { readonly tally: Tally }) => void,
    options: { tally: TallyOptions },
  ): () => void;
  /** Counts a vote, live. Returns the function that ends it. */
  tally(
    message: MessageLike,
    options: TallyOptions,
    listener: (tally: Tally & { readonly synced: boolean }) => void,
  ): () => void;

  /** Makes a message with status "unSend" (mirrored); `sendMessage` sends it. */
  createCustomMessage(options: CreateCustomMessageOptions): CustomMessage;
  /** Sends a message that was made here. Resolves with the same object, its status now "success"; with a copy if it is frozen. */
  sendMessage<Sent extends Message>(message: Sent): Promise<ChatResponse<{ message: Sent }>>;
  /** A page of a conversation's messages, oldest first. */
  getMessageList(
    options: GetMessageListOptions,
  ): Promise<ChatResponse<{ messageList: Message[]; nextReqMessageID: string; isCompleted: boolean }>>;
}

/** What every promise of the API resolves to. */
export interface ChatResponse<Data> {
  /** Always 0: what fails rejects. */
  code: 0;
  /** What was asked for. */
  data: Data;
}

/** The data of an answer that says no more than that it worked. */
export interface ActionData {
  actionStatus: 'OK';
  errorCode: 0;
  errorInfo: '';
}

/** Where the WebAssembly part comes from, for hosts that cannot fetch it by its URL. */
export type WasmSource = URL | string | Response | Promise<Response> | BufferSource | WebAssembly.Module;

/** Options of {@link create}; those of the first call for an app count. */
export interface CreateOptions {
  /** The app. The same SDKAppID gives the same instance, until that is destroyed. */
  SDKAppID: number;
  /** The server's http or https URL, `/v4/…` comes after it; the page's origin when omitted. {@link ENDPOINTS} has the hosted ones. */
  endpoint?: string;
  /** The WebAssembly part; when omitted, as the entry has it: fetched from beside it, read from the disk (Node), contained in it (`./inline`). */
  wasm?: WasmSource;
  /** `deleteMessageExtensions(message, [])` rejects with 9001; it clears the message otherwise, as in the mirrored API. Default false. */
  refuseEmptyKeyList?: boolean;
  /**
   * What was read is kept in IndexedDB, for each endpoint, app and user: at most 1,000 messages, 30 days. After a reload
   * {@link Chat.watchMessageExtensions} shows it at once. Where IndexedDB cannot be used, {@link EVENT.ERROR} says so with code 9007, and memory alone is
   * used; where there is none (Node), nothing is said. On shared computers: false, or `logout({ clear: true })`. Default true.
   */
  persistence?: boolean;
  /**
   * Sets and deletes of keys that are made without network resolve at once, with `queued: true`, and are sent in order when it is back; with
   * {@link CreateOptions.persistence} also after a reload, and those of tabs that are closed too. Where memory alone is used, they are sent as long as the
   * page is there and no other user logs in. One that has no answer after 5 seconds waits too. Default false: they reject with 2800 or 2801.
   */
  offline?: boolean;
}

/** What `login` takes. */
export interface LoginOptions {
  /** Whom your backend has signed for; 1 to 255 bytes. */
  userID: string;
  /** UserSig (TLSSigAPIv2), made by the app's backend. */
  userSig: string;
}

/** What `logout` takes. */
export interface LogoutOptions {
  /**
   * Forgets what is kept for the user in this browser, writes that wait for the network included; rejects with 9007 when it
   * cannot, and the user is logged out all the same. Default false: kept for their next login.
   */
  clear?: boolean;
}

/**
 * What the sender of a message lets others do to its extensions. The server holds everybody to it but app admins. Given with the
 * message, and never changed.
 */
export interface ExtensionRules {
  /**
   * Each key is one user's: it must be their UserID and this suffix, such as `_0`, or nothing. Others can neither set nor delete
   * it (23102).
   */
  keyOwner?: { suffix: string };
  /** A key that has a value keeps it: it is not set again and not deleted (23103). */
  writeOnce?: boolean;
  /** From this time on nothing is written (23104); milliseconds since 1970, by the server's clock. */
  closesAt?: number;
  /** Seats: at most so many keys, 1 to 300 (23105). A key that is deleted leaves its seat. */
  maxKeys?: number;
  /** The only values that a key may have (23106), 1 to 100 of them. */
  values?: string[];
  /**
   * Who may clear the message (23107): app admins, also its sender, or everybody who sees it. Without it `'author'` where there is
   * `keyOwner` or `writeOnce`, else `'any'`.
   */
  clearBy?: 'admin' | 'author' | 'any';
}

/** What `createCustomMessage` takes. */
export interface CreateCustomMessageOptions {
  /** UserID of the recipient, or the group ID. */
  to: string;
  /** {@link TYPES}`.CONV_C2C` or `.CONV_GROUP`. */
  conversationType: ConversationType;
  /** What the message carries, for those who show it. */
  payload: { data: string; description?: string; extension?: string };
  /** Whether the message can have extensions; it cannot be changed later. Default false. */
  isSupportExtension?: boolean;
  /** What others may do to its extensions; needs `isSupportExtension: true`. */
  extensionRules?: ExtensionRules;
}

/** What `getMessageList` takes. */
export interface GetMessageListOptions {
  /** "C2C" + UserID, or "GROUP" + group ID. */
  conversationID: string;
  /** From the page before: goes on backwards in time. The newest page when omitted. */
  nextReqMessageID?: string;
  /** Messages a page, 1 to 20; 15 when omitted. */
  count?: number;
}

// --------------------------------------------------------------------------------------------------------- extensions

/** One key and its value (mirrored). */
export interface MessageExtension {
  /** 1 to 100 bytes. */
  key: string;
  /** 1 to 1,000 bytes. */
  value: string;
}

/** Keys of a message. `String` is as the mirrored SDK declares it; the elements are plain strings. */
export type KeyList = readonly String[];

/** What became of one key that was written (mirrored). */
export interface MessageExtensionResult {
  /** 0, or why this key was refused. 23001: somebody else wrote it first; `value` is then theirs. */
  code: MessageExtensionItemCode;
  /** As it was asked for. */
  key: string;
  /** The value that the key has now; empty when it has none. */
  value: string;
}

/** What became of one key of a set or a delete, which may wait for the network. */
export interface MessageExtensionWriteResult extends MessageExtensionResult {
  /**
   * The write waits, with {@link CreateOptions.offline}: `code` is 0, `value` is what was asked for. If it cannot be done later,
   * {@link EVENT.MESSAGE_EXTENSIONS_CONFLICT} says so.
   */
  queued?: true;
}

/** One key of a write that was made offline and could not be done as it was meant. */
export interface MessageExtensionConflict {
  /** 23001: somebody else wrote the key first; any other: why the server refused this key, or the whole write. */
  code: Exclude<MessageExtensionItemCode, 0> | MessageExtensionErrorCode | (number & {});
  /** The key that was to be written. */
  key: string;
  /** What the write wanted; empty to delete the key. */
  value: string;
  /** What the server has; empty when it has nothing, or did not say. */
  current: string;
}

/** Options of `getMessageExtensions`. */
export interface GetMessageExtensionsOptions {
  /**
   * `cache`: what is cached, without a request; rejects with 9006 when the message has never been read here. `server`: always asks. When omitted, the cache
   * answers while the push connection is live and nothing is missing, else the server is asked.
   */
  source?: 'cache' | 'server';
}

// -------------------------------------------------------------------------------------------------------------- watch

/** One key of a watched message. */
export interface WatchedExtension {
  /** 1 to 100 bytes. */
  readonly key: string;
  /** Empty while an own delete is on its way or waits for the network. */
  readonly value: string;
  /** UserID of who wrote it; empty while an own write is on its way or waits. */
  readonly author: string;
  /** When it was written, milliseconds since 1970; 0 when that is not known yet. */
  readonly time: number;
  /**
   * `confirmed`: the server has it. `pending`: an own write on its way. `queued`: an own write that waits for the network, with
   * {@link CreateOptions.offline}. `conflict`: the server has it, and refused an own write for it, until the key is written again.
   */
  readonly status: 'confirmed' | 'pending' | 'queued' | 'conflict';
}

/** What a watched message shows. Immutable; entries that did not change are the same objects as before. */
export interface MessageExtensionsSnapshot {
  /** In the order in which they were written, own writes without an answer last. */
  readonly entries: readonly WatchedExtension[];
  /**
   * Whether everything that the server has is shown. False until the server has been asked: for what was kept, after the connection was lost, and from the
   * end of a session (`logout`, a refused signature, the login of another user) to the next login.
   */
  readonly synced: boolean;
}

/** How the values of a message are votes. */
export interface TallyOptions {
  /** Options to count also when nobody has chosen them. */
  options?: readonly (string | number)[];
  /** A value holds several options, joined by this; one option when omitted. */
  separator?: string;
  /** Keys that end with this are votes, and the rest of the key is the voter; every key when omitted. */
  suffix?: string;
  /** Or: the options that an entry chooses. */
  optionsOf?: (entry: WatchedExtension) => readonly string[];
}

/** The counts of one option. */
export interface TallyOption {
  /** A value, or a part of one, see {@link TallyOptions.separator}. */
  readonly option: string;
  /** How many have chosen it. */
  readonly count: number;
  /** Of all voters, 0 to 1. */
  readonly share: number;
  /** Who: their keys without the suffix. */
  readonly voters: readonly string[];
}

/** The counts of a vote. */
export interface Tally {
  /** How many have voted. */
  readonly voters: number;
  /** Those of {@link TallyOptions.options} in their order, then what else was chosen. */
  readonly options: readonly TallyOption[];
}

// ----------------------------------------------------------------------------------------------------------- messages

/** What a custom message carries. */
export interface CustomMessagePayload {
  /** Free text, usually JSON: a vote's title and options. */
  data: string;
  /** Free text, such as what kind of message it is; empty when omitted. */
  description: string;
  /** Free text; empty when omitted. */
  extension: string;
}

/** What a text message carries. */
export interface TextMessagePayload {
  /** What it says. */
  text: string;
}

/** What every message has. */
export interface MessageFields<Payload = unknown> {
  /** Stays the same across sending; events name a message by it. */
  ID: string;
  /** "C2C" + UserID, or "GROUP" + group ID. */
  conversationID: string;
  /** One-to-one or group. */
  conversationType: ConversationType;
  /** UserID of the sender. */
  from: string;
  /** UserID of the recipient, or the group ID. */
  to: string;
  /** Received, or sent by the user. */
  flow: 'in' | 'out';
  /** Seconds since 1970: the server's once the message is sent. */
  time: number;
  /** `unSend` until it is sent. */
  status: 'unSend' | 'success' | 'fail';
  /** Of a sent group message: its MsgSeq. */
  sequence: number;
  /** Of a one-to-one message: the sender's sequence. */
  clientSequence: number;
  /** Made by the sender; part of what names a one-to-one message. */
  random: number;
  /** Seconds since 1970, by the sender's clock. */
  clientTime: number;
  /** Whether the message can have extensions. */
  isSupportExtension: boolean;
  /** What its sender lets others do to its extensions; missing where there are no rules. */
  extensionRules?: ExtensionRules;
  /** What it carries; it never changes. */
  payload: Payload;
}

/** A custom message, as `createCustomMessage` makes it. */
export interface CustomMessage extends MessageFields<CustomMessagePayload> {
  type: 'TIMCustomElem';
}

/** A text message. */
export interface TextMessage extends MessageFields<TextMessagePayload> {
  type: 'TIMTextElem';
}

/** A message of a kind that this package does not read. */
export interface OtherMessage<Payload = unknown> extends MessageFields<Payload> {
  type:
    | 'TIMImageElem'
    | 'TIMSoundElem'
    | 'TIMVideoFileElem'
    | 'TIMFileElem'
    | 'TIMFaceElem'
    | 'TIMLocationElem'
    | 'TIMRelayElem';
}

/**
 * A message, as lists and events give it: one of any kind, and `type` tells which payload it has. `Message<CustomMessagePayload>` is one with that payload,
 * as is `Message<Yours>` with yours.
 */
export type Message<Payload = unknown> = Extract<CustomMessage | TextMessage, { payload: Payload }> | OtherMessage<Payload>;

/** What is needed of any message. */
export interface MessageLikeFields {
  /** Events about this message will use it. */
  readonly ID?: string;
  /** "C2C" or "GROUP". */
  readonly conversationType: string;
  readonly conversationID?: string;
  /** UserID of the recipient, or the group ID. */
  readonly to: string;
  /** Must be true: the message was sent with support for extensions. */
  readonly isSupportExtension: boolean;
  /** Must be "success": the message has been sent. */
  readonly status: string;
  readonly flow?: string;
  readonly type?: string;
  readonly payload?: unknown;
  readonly clientTime?: number;
}

/** What is needed of a one-to-one message: `{clientSequence}_{random}_{time}` is its MsgKey. */
export type C2CMessageLike = MessageLikeFields & {
  /** UserID of the sender. */
  readonly from: string;
  /** Seconds since 1970, by the server's clock. */
  readonly time: number;
  readonly random: number;
} & (
    | { readonly clientSequence: number; readonly sequence?: number }
    /** `sequence` counts where there is no `clientSequence`. */
    | { readonly clientSequence?: undefined; readonly sequence: number }
  );

/** What is needed of a group message. */
export interface GroupMessageLike extends MessageLikeFields {
  /** The message's MsgSeq. */
  readonly sequence: number;
  readonly from?: string;
  readonly time?: number;
  readonly random?: number;
  readonly clientSequence?: number;
}

/**
 * A message as the mirrored SDK's declarations have it. They leave out the fields that name it, which its objects have: one that has not is refused with 9001
 * when it is used.
 */
export interface DeclaredMessageLike {
  readonly ID: string;
  readonly conversationID: string;
  /** There an enum, of strings and numbers. */
  readonly conversationType: string | number;
  readonly from: string;
  readonly to: string;
  readonly flow: string;
  readonly time: number;
  readonly status: string;
  readonly isRevoked: boolean;
  /** Older declarations do not have it. */
  readonly isSupportExtension?: boolean;
}

/** Anything with the fields that name a sent message: one of ours, of another SDK, or a plain object. */
export type MessageLike = C2CMessageLike | GroupMessageLike | DeclaredMessageLike;

// ------------------------------------------------------------------------------------------------------------- events

/** The data of each event, by the event's name. */
export interface ChatEventMap {
  /** The keys that were set, with their values. `messageID` is the ID of the message. */
  onMessageExtensionsUpdated: { messageID: string; extensions: MessageExtension[] };
  /** The keys that were deleted, or all of the message when it was cleared. */
  onMessageExtensionsDeleted: { messageID: string; keyList: string[] };
  /** Each key that was not written as it was meant. */
  onMessageExtensionsConflict: { messageID: string; extensions: MessageExtensionConflict[] };
  /** Messages of others, and of the user's other pages. */
  onMessageReceived: Message[];
  sdkStateReady: undefined;
  sdkStateNotReady: undefined;
  /** Why, as a promise would have rejected. */
  error: { code: MessageExtensionError['code']; message: string };
}

/** The name of an event: one of {@link EVENT}'s values. */
export type ChatEventName = keyof ChatEventMap;

/** What a handler is called with. */
export interface ChatEvent<Name extends ChatEventName = ChatEventName> {
  /** Which event it is. */
  name: Name;
  /** What comes with it, see {@link ChatEventMap}. */
  data: ChatEventMap[Name];
}

/** A function that is called with events. */
export type ChatEventHandler<Name extends ChatEventName = ChatEventName> = (event: ChatEvent<Name>) => void;

/** A handler that is declared as `Function`, as the mirrored SDK declares them. One that has parameters must have the event's. */
export type UntypedHandler<Handler extends Function> = Handler extends (...parameters: never[]) => unknown ? never : Handler;

/** The name of an event of which no more is declared than that it is a `string`, as the mirrored SDK declares it. One that is written out must be an event's. */
export type UntypedName<Name extends string> = string extends Name ? Name : never;

// ---------------------------------------------------------------------------------------------------------- constants

/** Names of the events, for `on`, `once` and `off`. */
export declare const EVENT: {
  /** Keys of a message were set (mirrored). */
  readonly MESSAGE_EXTENSIONS_UPDATED: 'onMessageExtensionsUpdated';
  /** Keys of a message were deleted (mirrored). */
  readonly MESSAGE_EXTENSIONS_DELETED: 'onMessageExtensionsDeleted';
  /** A write that was made offline could not be done as it was meant. In the tab that sent it, once. */
  readonly MESSAGE_EXTENSIONS_CONFLICT: 'onMessageExtensionsConflict';
  /** New messages arrived. */
  readonly MESSAGE_RECEIVED: 'onMessageReceived';
  /** Logged in: messages can be read, sent and extended. Also without network, for a user of whom something is kept. */
  readonly SDK_READY: 'sdkStateReady';
  /** No longer ready. */
  readonly SDK_NOT_READY: 'sdkStateNotReady';
  /** Something failed that no promise reports. */
  readonly ERROR: 'error';
};

/** Types of conversations and groups. */
export declare const TYPES: {
  /** One-to-one. */
  readonly CONV_C2C: 'C2C';
  /** Group. */
  readonly CONV_GROUP: 'GROUP';
  readonly GRP_WORK: 'Private';
  readonly GRP_PUBLIC: 'Public';
  readonly GRP_MEETING: 'ChatRoom';
  /** Its messages have no extensions. */
  readonly GRP_AVCHATROOM: 'AVChatRoom';
  /** Its messages have no extensions. */
  readonly GRP_COMMUNITY: 'Community';
};

/** The regional domains of the hosted service, for `endpoint` of {@link create}. */
export declare const ENDPOINTS: {
  readonly CHINA: 'https://console.tim.qq.com';
  readonly SINGAPORE: 'https://adminapisgp.im.qcloud.com';
  readonly SEOUL: 'https://adminapikr.im.qcloud.com';
  readonly FRANKFURT: 'https://adminapiger.im.qcloud.com';
  readonly SILICON_VALLEY: 'https://adminapiusa.im.qcloud.com';
  readonly JAKARTA: 'https://adminapiidn.im.qcloud.com';
};

/** The version of this package. */
export declare const VERSION: string;

/** A conversation whose messages can have extensions. */
export type ConversationType = (typeof TYPES)['CONV_C2C' | 'CONV_GROUP'];

// ------------------------------------------------------------------------------------------------------------- errors

/** What promises reject with, and what `create` throws. */
export declare class MessageExtensionError extends Error {
  private constructor();
  /** Tells it from other errors, as {@link isMessageExtensionError} does. */
  name: 'MessageExtensionError';
  /** One of this package's codes, or what a foreign server gave. */
  code: MessageExtensionErrorCode | (number & {});
  /** What was wrong, what was expected, and which argument. */
  message: string;
  /** More about it, where there is more. */
  data: unknown;
}

export type { MessageExtensionErrorCode, MessageExtensionItemCode };

/** Whether something caught is an error of this package. */
export declare function isMessageExtensionError(error: unknown): error is MessageExtensionError;

// ------------------------------------------------------------------------------------------------------------- module

/** The default export; also exported as `TIM` and as `TencentCloudChat`, and {@link Chat} as `ChatSDK`, the names of the mirrored SDK. */
export interface MessageExtensionsModule {
  readonly create: typeof create;
  readonly EVENT: typeof EVENT;
  readonly TYPES: typeof TYPES;
  readonly VERSION: typeof VERSION;
  readonly ENDPOINTS: typeof ENDPOINTS;
}

declare const MessageExtensions: MessageExtensionsModule;
/** Types under the names that the mirrored SDK's enums have. */
declare namespace MessageExtensions {
  /** The name of an event. */
  type EVENT = ChatEventName;
  /** A type of conversation or group. */
  type TYPES = (typeof TYPES)[keyof typeof TYPES];
}
export default MessageExtensions;
export { MessageExtensions as TIM, MessageExtensions as TencentCloudChat };
export type { Chat as ChatSDK };
