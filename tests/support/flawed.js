// Flaws that a server may have, put before a good one: the conformance pack must find each. A flaw may change calls
// (`call(request, forward)` gives the answer) and what is pushed (`frame(frame, memory)` gives the frames that arrive
// instead; each connection has a memory).

import { ADMIN, sign } from './server.js';

const asAdmin = (request) => signedFor(ADMIN, request);

function signedFor(identifier, { url, ...rest }) {
  const other = new URL(url);
  other.searchParams.set('identifier', identifier);
  other.searchParams.set('usersig', sign(identifier));
  return { ...rest, url: other };
}

/** The same with a changed body, if it is one that can be read. */
function withBody(request, change) {
  try {
    return { ...request, body: JSON.stringify(change(JSON.parse(request.body))) };
  } catch {
    return request;
  }
}

const changed = (change) => async (request, forward) => change(await forward(request));
const items = (answer) => answer.ExtensionList ?? [];
const isPull = (answer) => answer.CompleteFlag !== undefined;
/** Changes the events of a frame, each into those that come instead. */
const events = (change) => (frame, memory) => [
  frame.Type === 'push' ? { ...frame, Events: frame.Events.flatMap((event) => change(event, memory)) } : frame,
];

/** What is wrong; cases that must fail, and one that must not. */
export const FLAWS = [
  {
    is: 'a stale set is accepted, so that an update is lost',
    call: async (request, forward) => {
      const answer = await forward(request);
      return items(answer).some(({ ErrorCode }) => ErrorCode === 23001) ? forward(asAdmin(request)) : answer;
    },
    found: ['set/a-stale-seq-is-refused', 'set/of-two-with-the-same-seq-one-wins', 'set/all-refused-takes-no-seq'],
    passes: 'set/a-matching-seq-is-accepted',
  },
  {
    is: 'a Seq is given twice',
    call: changed((answer) => {
      const again = (seq) => (seq > 1 && !isPull(answer) ? seq - 1 : seq);
      const list = items(answer).map((item) => (item.Extension ? { ...item, Extension: { ...item.Extension, Seq: again(item.Extension.Seq) } } : item));
      return { ...answer, Seq: again(answer.Seq), ExtensionList: list };
    }),
    found: ['set/the-same-value-again-is-a-write', 'set/seq-is-of-the-message-not-of-the-key', 'clear/the-counter-goes-on-after-a-clear'],
    passes: 'set/the-first-set-takes-seq-1',
  },
  {
    is: 'one refused item refuses the whole request',
    call: changed((answer) => (items(answer).some(({ ErrorCode }) => ErrorCode > 0) ? { ActionStatus: 'FAIL', ErrorCode: 23001, ErrorInfo: 'conflict' } : answer)),
    found: ['set/refused-items-do-not-keep-others-back', 'set/a-stale-seq-is-refused'],
    passes: 'set/keys-of-one-set-share-its-seq',
  },
  {
    is: 'a clear is forgotten by pulls',
    call: changed((answer) => (isPull(answer) ? { ...answer, ClearSeq: 0 } : answer)),
    found: ['clear/a-clear-drops-everything', 'pull/clearseq-comes-with-every-pull'],
    passes: 'pull/entries-ascend-by-seq',
  },
  {
    is: 'deleted keys leave no tombstone',
    call: changed((answer) => (isPull(answer) ? { ...answer, ExtensionList: items(answer).filter(({ Value }) => Value !== '') } : answer)),
    found: ['delete/a-deleted-key-is-not-pulled-from-0', 'pull/a-pull-past-0-has-tombstones'],
    passes: 'pull/entries-ascend-by-seq',
  },
  {
    is: 'StartSeq is taken for the last Seq that is known',
    call: (request, forward) => forward(withBody(request, (body) => ({ ...body, ...(body.StartSeq && { StartSeq: body.StartSeq + 1 }) }))),
    found: ['pull/startseq-itself-is-included', 'pull/entries-of-one-seq-are-never-split'],
    passes: 'pull/entries-ascend-by-seq',
  },
  {
    is: 'a first page is said to be all',
    call: changed((answer) => (isPull(answer) ? { ...answer, CompleteFlag: 1 } : answer)),
    found: ['pull/one-more-is-a-second-page', 'pull/entries-of-one-seq-are-never-split'],
    passes: 'pull/two-hundred-entries-are-one-page',
  },
  {
    is: 'a foreigner is let in',
    call: async (request, forward) => {
      const answer = await forward(request);
      return answer.ErrorCode === 23004 ? forward(asAdmin(request)) : answer;
    },
    found: ['permissions/a-stranger', 'permissions/who-was-removed-from-a-group', 'permissions/23004-goes-before-23002'],
    passes: 'permissions/both-users-of-a-one-to-one-message',
  },
  {
    is: 'a retry is a write of its own',
    call: ({ url, ...request }, forward) => {
      const bare = new URL(url);
      bare.searchParams.delete('requestid');
      return forward({ ...request, url: bare });
    },
    found: ['retries/a-retry-gets-the-first-answer', 'retries/a-clear-is-done-once', 'retries/an-admins-write-is-done-once'],
    passes: 'retries/without-requestid-a-repetition-is-a-conflict',
  },
  {
    is: 'signatures are not checked',
    call: (request, forward) => forward(signedFor(new URL(request.url).searchParams.get('identifier') ?? 'nobody', request)),
    found: ['calls/a-usersig-of-another-secret', 'calls/a-usersig-that-has-expired', 'calls/nothing-is-written-with-a-bad-signature'],
    passes: 'calls/a-good-signature',
  },
  {
    is: 'a list that is too long is cut',
    call: (request, forward) => forward(withBody(request, (body) => ({ ...body, ...(body.ExtensionList && { ExtensionList: body.ExtensionList.slice(0, 20) }) }))),
    found: ['limits/twenty-one-items', 'limits/twenty-one-items-to-delete'],
    passes: 'limits/twenty-items',
  },
  {
    is: 'rules are not asked',
    call: (request, forward) => forward(withBody(request, ({ ExtensionRules: _, ...body }) => body)),
    found: ['rules/keyowner-key-of-another', 'rules/writeonce-a-key-keeps-its-value', 'rules/closesat-past', 'rules/maxkeys-a-seat-too-many', 'rules/values-listed', 'rules-clear/clearby-admin'],
    passes: 'rules/an-empty-set-of-rules',
  },
  {
    is: 'events overtake one another',
    frame: events((event, memory) => {
      const { held = [] } = memory;
      memory.held = event.OperateType && held.length === 0 ? [event] : [];
      return memory.held.length ? [] : [event, ...held];
    }),
    found: ['push-events/events-come-in-order-of-seq', 'push-events/a-hundred-changes-in-order'],
    passes: 'push-events/strangers-hear-nothing',
  },
  {
    is: 'deletes are not pushed',
    frame: events((event) => (event.OperateType === 2 ? [] : [event])),
    found: ['push-events/a-delete-of-a-group-message', 'push-events/events-come-in-order-of-seq'],
    passes: 'push-events/a-set-of-a-group-message',
  },
  {
    is: 'events come twice',
    frame: events((event) => [event, event]),
    found: ['push-events/a-set-of-a-group-message', 'push-events/who-is-removed-is-told'],
    passes: 'push-events/strangers-hear-nothing',
  },
  {
    is: 'a resume leaves out what is gone',
    frame: (frame) => [frame.Type === 'resumed' ? { ...frame, Messages: frame.Messages.filter(({ ErrorCode }) => !ErrorCode) } : frame],
    found: ['push-resume/a-stranger-gets-23004', 'push-resume/a-message-that-is-gone-gets-23004'],
    passes: 'push-resume/what-has-changed-comes',
  },
];

/** The `fetch` and `WebSocket` with which a flaw is there. */
export function network({ call, frame }) {
  const forward = async ({ url, ...request }) => (await fetch(url, request)).json();
  return {
    ...(call && { fetch: async (url, request) => Response.json(await call({ url, ...request }, forward)) }),
    ...(frame && {
      WebSocket: class extends WebSocket {
        #memory = {};
        addEventListener(name, listener) {
          const altered = ({ data }) => frame(JSON.parse(data), this.#memory).forEach((one) => listener({ data: JSON.stringify(one) }));
          super.addEventListener(name, name === 'message' ? altered : listener);
        }
      },
    }),
  };
}
