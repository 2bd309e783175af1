// The message of which everything is measured, as an app has it.

/** The n-th of a group, under the ID that the client gives it. */
export const message = (n, ID) => ({
  ID,
  conversationType: 'GROUP',
  conversationID: 'GROUPlunch',
  from: 'bob',
  to: 'lunch',
  flow: 'in',
  sequence: n,
  time: 1_665_388_280,
  status: 'success',
  isSupportExtension: true,
  type: 'TIMCustomElem',
});
