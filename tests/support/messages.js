// Messages that an app's backend makes, and what it does with them: REST as an admin, whom the server asks for no Seq.

import { must } from './server.js';

const BODY = [{ MsgType: 'TIMCustomElem', MsgContent: { Data: '', Desc: '', Ext: '' } }];

let last = 0;

/** A one-to-one message that supports extensions, as any SDK may hand it in. */
export async function makeMessage(server, from, to) {
  const random = (last += 1);
  const send = { From_Account: from, To_Account: to, MsgRandom: random, SupportMessageExtension: 1, MsgBody: BODY };
  const { MsgTime: time, MsgKey, MessageID: ID } = await must(server.call('openim/sendmsg', send));
  const sequence = Number(MsgKey.split('_')[0]);
  return { ID, conversationType: 'C2C', from, to, sequence, random, time, status: 'success', isSupportExtension: true };
}

/** A group. */
export async function makeGroup(server, groupID, [owner, ...others]) {
  const MemberList = others.map((Member_Account) => ({ Member_Account }));
  await must(server.call('group_open_http_svc/create_group', { Owner_Account: owner, Type: 'Public', Name: 'Lunch', GroupId: groupID, MemberList }));
}

/** A message of a group. */
export async function makeGroupMessage(server, from, groupID) {
  const send = { From_Account: from, GroupId: groupID, Random: (last += 1), SupportMessageExtension: 1, MsgBody: BODY };
  const { MsgSeq: sequence, MessageID: ID } = await must(server.call('group_open_http_svc/send_group_msg', send));
  return { ID, conversationType: 'GROUP', from, to: groupID, sequence, status: 'success', isSupportExtension: true };
}

const address = ({ conversationType, from, to, sequence, random, time }) =>
  conversationType === 'GROUP'
    ? { GroupId: to, MsgSeq: sequence }
    : { From_Account: from, To_Account: to, MsgKey: `${sequence}_${random}_${time}` };
const command = ({ conversationType }, name) => `openim_msg_ext_http_svc/${conversationType === 'GROUP' ? 'group_' : ''}${name}`;

/** Sets keys: {key: value}. */
export function set(server, message, values) {
  const ExtensionList = Object.entries(values).map(([Key, Value]) => ({ Key, Value }));
  return must(server.call(command(message, 'set_key_values'), { ...address(message), OperateType: 1, ExtensionList }));
}

/** What the server has: the counter, and {key: value}. */
export async function get(server, message) {
  const { LatestSeq, ExtensionList } = await must(server.call(command(message, 'get_key_values'), address(message)));
  return { seq: LatestSeq, values: Object.fromEntries(ExtensionList.map(({ Key, Value }) => [Key, Value])) };
}

/** Does something to each of a list, a few at once; gives what came of it, in the list's order. */
export async function each(list, work) {
  const results = [];
  let next = 0;
  const worker = async () => {
    while (next < list.length) {
      const i = next++;
      results[i] = await work(list[i], i);
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  return results;
}
