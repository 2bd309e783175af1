// The globals that the samples speak of.

import type { Chat, CustomMessage, MessageExtension, MessageExtensionsModule } from 'message-extensions';

declare global {
  const tim: Chat;
  const chat: Chat;
  const TIM: MessageExtensionsModule;
  const TencentCloudChat: MessageExtensionsModule;
  const message: CustomMessage;
  const extensions: MessageExtension[];
  const keyList: string[] | undefined;
}
