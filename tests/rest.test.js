// The request samples of seeds 002 to 004, sent by an app admin as any HTTP client would: each is answered in the shape
// of the response sample. The samples are the letter-by-letter copies in `golden/`.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { must, startServer } from './support/server.js';

const SERVICE = 'openim_msg_ext_http_svc';
const sample = (name) => readFileSync(new URL(`golden/${name}.json`, import.meta.url), 'utf8');

/** Of the one-to-one message in the samples. */
const [FROM, TO, MSG_KEY] = ['62768', '116400', '44739199_12_1665388280'];
/** Of the group message in the samples. */
const [GROUP, MSG_SEQ] = ['@TGS#1YMVAB3IZ', 158];

let server;
/** A new message's key: its time is the server's, so the sample's own cannot be had. */
let msgKey;

beforeAll(async () => {
  server = await startServer();
  const group = { Owner_Account: FROM, Type: 'Public', Name: 'Lunch', GroupId: GROUP, MemberList: [{ Member_Account: TO }] };
  await must(server.call('group_open_http_svc/create_group', group));
  const MsgBody = [{ MsgType: 'TIMTextElem', MsgContent: { Text: 'Who joins?' } }];
  for (let i = 1; i <= MSG_SEQ; i += 1) {
    const message = { GroupId: GROUP, From_Account: FROM, Random: i, SupportMessageExtension: 1, MsgBody };
    const { MsgSeq } = await must(server.call('group_open_http_svc/send_group_msg', message));
    expect(MsgSeq).toBe(i);
  }
});
afterAll(() => server.stop());

let random = 12;
beforeEach(async () => {
  random += 1;
  const message = {
    From_Account: FROM,
    To_Account: TO,
    MsgSeq: 44739199,
    MsgRandom: random,
    SupportMessageExtension: 1,
    MsgBody: [{ MsgType: 'TIMCustomElem', MsgContent: { Data: '', Desc: '', Ext: '' } }],
  };
  ({ MsgKey: msgKey } = await must(server.call('openim/sendmsg', message)));
});

const call = (command, body, identifier) => server.call(`${SERVICE}/${command}`, body, identifier);
/** A one-to-one sample with the key of the message that exists. */
const about = (text) => {
  expect(text).toContain(MSG_KEY);
  return text.replace(MSG_KEY, msgKey);
};
/** The same for a group message, not the one in the samples. */
const aboutGroup = (text) => {
  const { OperateType, ExtensionList } = JSON.parse(text);
  return JSON.stringify({ GroupId: GROUP, MsgSeq: MSG_SEQ - 1, OperateType, ExtensionList });
};

/** Names in their order, and the type of each value; of a list, the shape of its items. */
function shape(value) {
  if (Array.isArray(value)) return [...new Map(value.map((item) => [JSON.stringify(shape(item)), shape(item)])).values()];
  if (value === null || typeof value !== 'object') return typeof value;
  return Object.entries(value).map(([name, member]) => [name, shape(member)]);
}
const shapeOfSample = (name) => shape(JSON.parse(sample(name)));

describe.each([
  ['one-to-one', 'set_key_values', 'get_key_values', about],
  ['group', 'group_set_key_values', 'group_get_key_values', aboutGroup],
])('%s', (_, set, get, address) => {
  const write = (name) => call(set, address(sample(name)));
  const read = (StartSeq) => call(get, { ...JSON.parse(address(sample('002_clear_request'))), OperateType: undefined, StartSeq });

  beforeEach(() => must(write('002_clear_request')));

  test('the set sample is answered in the shape of the response sample, and Seq', async () => {
    const { Seq, ...reply } = await write('002_set_request');
    expect(shape(reply)).toEqual(shapeOfSample('002_set_response'));
    expect(reply).toEqual({
      ActionStatus: 'OK',
      ErrorInfo: '',
      ErrorCode: 0,
      ExtensionList: ['1', '2', '3'].map((n) => ({ ErrorCode: 0, Extension: { Key: `k${n}`, Value: `v${n}`, Seq } })),
    });
  });

  test('a set by a member with a Seq that has passed is answered with 23001 and what the key holds', async () => {
    const { Seq: first } = await write('002_set_request');
    const [, k2] = JSON.parse(sample('002_set_response')).ExtensionList;
    const body = JSON.parse(address(sample('002_set_request')));
    const taken = [{ ...k2.Extension, Seq: 0 }];
    const { Seq: second } = await call(set, { ...body, ExtensionList: taken });
    const mine = [{ Key: 'k1', Value: 'v1', Seq: first }, { Key: 'k2', Value: 'v2', Seq: first }];
    const { Seq, ...reply } = await call(set, { ...body, ExtensionList: mine }, TO);
    expect(Seq).toBe(second + 1);
    expect(shape(reply)).toEqual(shapeOfSample('002_set_response'));
    expect(reply.ExtensionList).toEqual([
      { ErrorCode: 0, Extension: { Key: 'k1', Value: 'v1', Seq } },
      { ErrorCode: 23001, Extension: { Key: 'k2', Value: 'v1234', Seq: second } },
    ]);
  });

  test('the delete sample is answered alike, whether the key is there or not', async () => {
    for (const prepare of [() => {}, () => call(set, address(sample('002_set_request')).replaceAll('"k1"', '"key1"'))]) {
      await prepare();
      const { Seq, ...reply } = await write('002_delete_request');
      expect(Seq).toBeTypeOf('number');
      expect(shape(reply)).toEqual(shapeOfSample('002_set_response'));
      expect(reply.ExtensionList).toMatchObject([{ ErrorCode: 0, Extension: { Key: 'key1', Value: '' } }]);
    }
    expect((await read()).ExtensionList.map(({ Key }) => Key)).toEqual(['k2', 'k3']);
  });

  test('the clear sample is answered with an empty list, and drops everything', async () => {
    await write('002_set_request');
    const { Seq, ...reply } = await write('002_clear_request');
    expect(Object.keys(reply)).toEqual(Object.keys(JSON.parse(sample('002_set_response'))));
    expect(reply).toEqual({ ActionStatus: 'OK', ErrorInfo: '', ErrorCode: 0, ExtensionList: [] });
    expect(await read()).toMatchObject({ CompleteFlag: 1, LatestSeq: Seq, ClearSeq: Seq, ExtensionList: [] });
  });
});

describe.each([
  ['one-to-one', '003', 'set_key_values', 'get_key_values', about],
  ['group', '004', 'group_set_key_values', 'group_get_key_values', (text) => text],
])('%s', (_, seed, set, get, address) => {
  test(`the pull samples of seed ${seed} are answered as the response sample says`, async () => {
    const named = JSON.parse(address(sample(`${seed}_pull_request`)));
    const response = JSON.parse(sample(`${seed}_pull_response`));
    // As the sample's Seqs say: two keys together, then one.
    for (const ExtensionList of [response.ExtensionList.slice(0, 2), response.ExtensionList.slice(2)]) {
      await must(call(set, { ...named, OperateType: 1, ExtensionList }));
    }
    // Ours besides: a digest of the whole, whatever is asked for.
    const { Digest, ...all } = await call(get, address(sample(`${seed}_pull_request`)));
    expect(shape(all)).toEqual(shape(response));
    expect(all).toEqual(response);
    const { Digest: same, ...later } = await call(get, address(sample(`${seed}_pull_from_seq_request`)));
    expect(same).toBe(Digest);
    expect(shape(later)).toEqual(shape(response));
    expect(later).toEqual({ ...response, ExtensionList: response.ExtensionList.slice(2) });
  });
});

test('a refusal is HTTP 200 with the same three fields', async () => {
  const missing = await call('get_key_values', sample('003_pull_request'));
  expect(Object.keys(missing)).toEqual(['ActionStatus', 'ErrorInfo', 'ErrorCode']);
  expect(missing).toMatchObject({ ActionStatus: 'FAIL', ErrorCode: 23004, ErrorInfo: expect.stringMatching(/.{10}/) });
  expect(await call('get_key_values', '{"To_Account":')).toMatchObject({ ActionStatus: 'FAIL', ErrorCode: 60003 });
  expect(await call('no_such_command', '{}')).toMatchObject({ ActionStatus: 'FAIL', ErrorCode: 60009 });
});
