// The package at work on the server.

import * as sdk from 'message-extensions';
import * as uses from '../../vote.js';

export async function POST(request) {
  return Response.json(await uses.vote(sdk, await request.json()));
}
