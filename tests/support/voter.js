// Whom and where the apps of `support/entries` vote, and what must become of it.

import { expect } from 'vitest';
import { APP, must, sign } from './server.js';

let voters = 0;

/** The options of `vote`: a new user, in a new group. */
export async function newVoter(server, options = {}) {
  voters += 1;
  const [userID, groupID] = [`voter-${voters}`, `lunch-${voters}`];
  await must(server.call('group_open_http_svc/create_group', { Owner_Account: userID, Type: 'Public', Name: 'Lunch', GroupId: groupID }));
  return { SDKAppID: APP, groupID, userID, userSig: sign(userID), ...options };
}

/** The vote was counted, and told. */
export function expectVote({ written, told }, { userID }) {
  expect(written).toEqual([{ code: 0, key: userID, value: '1' }]);
  expect(told).toEqual([{ key: userID, value: '1' }]);
}
