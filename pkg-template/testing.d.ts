/**
 * message-extensions/testing: the client with a server in the page instead of a network, for unit tests.
 *
 * It exports all that `message-extensions` does, so that a test can put it in that one's place. Its `create` talks to {@link server}.
 */

import type {
  Chat,
  ConversationType,
  CreateOptions,
  CustomMessage,
  CustomMessagePayload,
  ExtensionRules,
  MessageExtension,
  MessageExtensionErrorCode,
  MessageExtensionResult,
  MessageLike,
} from './index.js';

export * from './index.js';
export { default } from './index.js';

/** Milliseconds, or at least so many and at most so many. */
export type Latency = number | readonly [least: number, most: number];

/** What a server allows; what is left out is as on a server that nobody has set up otherwise. 0 is no limit. Sizes are bytes of UTF-8. */
export interface TestLimits {
  /** 100. */
  keyBytes?: number;
  /** 1,000. */
  valueBytes?: number;
  /** Items in one operation, 20. */
  items?: number;
  /** Keys with a value in one message, 300. */
  liveKeys?: number;
  /** Deleted keys that one message remembers, 10,000. */
  tombstones?: number;
  /** Write attempts a minute on one message, 200; what is past it is 23003. */
  writesPerMinute?: number;
  /** Of these, those of one user, 60. */
  userWritesPerMinute?: number;
  /** Calls a second of one user, 50; what is past it is 60007. */
  userCallsPerSecond?: number;
}

/** Options of {@link createTestServer}. */
export interface TestServerOptions {
  limits?: TestLimits;
  /** See {@link TestServer.latency}; 0 when omitted. */
  latency?: Latency;
  /** The server's clock, milliseconds since 1970; `Date.now` when omitted. */
  now?: () => number;
}

/** What {@link TestServer.create} takes: what `create` does, all of it optional. Nothing is kept in IndexedDB unless `persistence` is true. */
export type TestClientOptions = Partial<CreateOptions>;

/** A message that {@link TestServer.sendMessage} sends. */
export interface TestMessageOptions {
  /** UserID of the sender, who needs no client. */
  from: string;
  /** UserID of the recipient, or the group ID. */
  to: string;
  conversationType: ConversationType;
  payload?: Partial<CustomMessagePayload>;
  /** Default true. */
  isSupportExtension?: boolean;
  extensionRules?: ExtensionRules;
}

/** One key of a message, as the server has it. */
export interface TestExtension extends MessageExtension {
  /** The Seq of the operation that wrote it. */
  readonly seq: number;
  /** UserID of who wrote it. */
  readonly author: string;
  /** When, milliseconds since 1970. */
  readonly time: number;
}

/** Who writes. */
export interface TestWriter {
  /** UserID; their rights count. When omitted an app admin, whom neither membership nor rules bind. */
  by?: string;
}

/** Which of the next requests are meant. */
export interface TestFault {
  /** `write` is set, delete and clear; when omitted, whatever comes next. */
  call?: 'login' | 'write' | 'read' | 'send' | 'list';
  /** Whose; when omitted, anybody's. */
  user?: string;
  /** How many, `Infinity` for all until {@link TestServer.heal}. Default 1. */
  times?: number;
}

/**
 * A server in the page. What it is asked for is done at once, throws what the server would answer, and is subject to no latency, frequency limit or fault;
 * clients are told as by any server.
 */
export interface TestServer {
  /** How long a request, its answer and a push are on their way, each. With 0 no timer is used. */
  latency: Latency;

  /** A new client with each call, as another page would have. */
  create(options?: TestClientOptions): Chat;
  /** The same, logged in. Whoever logs in is a user; any `userSig` is good. */
  login(userID: string, options?: TestClientOptions): Promise<Chat>;
  /** Cuts a client off, or all of them: open requests fail, the push connection breaks. */
  goOffline(chat?: Chat): void;
  /** The network is back, and the client is told, as a page is. */
  goOnline(chat?: Chat): void;

  /** Makes a group. `type` is one of TYPES.GRP_…; default Public. */
  createGroup(groupID: string, members?: readonly string[], options?: { type?: string }): void;
  addMembers(groupID: string, members: readonly string[]): void;
  removeMembers(groupID: string, members: readonly string[]): void;
  destroyGroup(groupID: string): void;
  /** Sends a message that supports extensions, unless told otherwise. */
  sendMessage(options: TestMessageOptions): CustomMessage;

  /** What the server has of a message, ascending by Seq. */
  extensions(message: MessageLike): TestExtension[];
  /** Somebody sets keys. */
  set(message: MessageLike, extensions: readonly Readonly<MessageExtension>[], options?: TestWriter): MessageExtensionResult[];
  /** Somebody deletes keys; all of them without `keyList`. */
  delete(message: MessageLike, keyList?: readonly string[], options?: TestWriter): MessageExtensionResult[];

  /** Refuses the next request with a code of the server's, or the next few. 10002, 23003 and 60007 the client tries again, for up to 15 seconds. */
  refuse(code: MessageExtensionErrorCode | (number & {}), options?: TestFault): void;
  /** Does the next request, and loses the answer. */
  loseAnswer(options?: TestFault): void;
  /** Before somebody's next set or delete of one of these keys, `by` sets them: so that write is refused with 23001. */
  conflict(message: MessageLike, extensions: readonly Readonly<MessageExtension>[], options?: TestWriter): void;
  /** Undoes `refuse`, `loseAnswer` and `conflict`. */
  heal(): void;

  /** Resolves when everything that is on its way has arrived, and clients have done what comes of it. */
  idle(): Promise<void>;
  /** For `afterEach`: destroys all clients and forgets everything. What was awaited of them is settled, no timer goes on. */
  reset(): Promise<void>;
}

/** The server that `create` talks to. */
export declare const server: TestServer;

/** Another server, which knows nothing of the first. */
export declare function createTestServer(options?: TestServerOptions): TestServer;
