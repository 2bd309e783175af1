// What the fragments of code in the documentation speak of without saying where it comes from.

import type { Chat, create as Create, EVENT as Events, Message, TencentCloudChat as Theirs } from 'message-extensions';

declare global {
  const chat: Chat;
  const create: typeof Create;
  const EVENT: typeof Events;
  const TencentCloudChat: typeof Theirs;
  const userSig: string;
  const count: number;
  const message: Message;
  const vote: Message;
  function draw(...shown: unknown[]): void;
  function ask(text: string): void;
  function tell(text: string): void;
}
