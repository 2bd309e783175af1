// What a Vue app does with the package; compiles strictly, and every type is what the annotations say.

import { create } from 'message-extensions';
import type { Chat, Message, MessageExtensionsSnapshot, Tally, WatchedExtension } from 'message-extensions';
import { messageExtensions, useMessageExtension, useMessageExtensions, useTally } from 'message-extensions/vue';
import type { MessageExtensionsPluginOptions } from 'message-extensions/vue';
import { computed, createApp, defineComponent, h, ref, shallowRef } from 'vue';
import type { PropType, Ref } from 'vue';

/** Only the very same type passes, neither a wider nor a narrower one. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<A, B>(_same: Same<A, B>): void {}

const chat: Chat = create({ SDKAppID: 1400000000 });

const Vote = defineComponent({
  props: { message: { type: Object as PropType<Message>, required: true } },
  setup(props) {
    const snapshot = useMessageExtensions(() => props.message);
    is<typeof snapshot, Readonly<Ref<MessageExtensionsSnapshot>>>(true);
    const key = ref('alice_0');
    const entry = useMessageExtension(() => props.message, key);
    is<typeof entry.value, WatchedExtension | undefined>(true);
    const tally = useTally(() => props.message, () => ({ suffix: '_0', options: [0, 1] }));
    is<typeof tally.value, Tally & { readonly synced: boolean }>(true);
    return () => h('p', [entry.value?.value, tally.value.voters, snapshot.value.entries.length]);
  },
});

const loading = shallowRef<Message | null>(null);
export const inScope = () => [
  useMessageExtensions(loading),
  useMessageExtension(loading.value, 'a'),
  useTally(computed(() => loading.value ?? undefined), { optionsOf: ({ value }) => [value] }),
  useTally(loading),
];

createApp(Vote).use(messageExtensions, { chat });
createApp(Vote).use(messageExtensions, { chat: shallowRef<Chat>() });
const later: MessageExtensionsPluginOptions = { chat: () => null };
createApp(Vote).use(messageExtensions, later);
