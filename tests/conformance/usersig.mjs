// UserSig (TLSSigAPIv2), as an app's backend makes it, in as much as a case needs: also wrong ones.

import { createHmac } from 'node:crypto';
import { deflateSync } from 'node:zlib';

/** A signature for `user`, made at `time` (seconds since 1970), good for `expire` seconds. */
export function sign({ app, secret, user, time = Math.floor(Date.now() / 1000), expire = 3600 }) {
  const text = `TLS.identifier:${user}\nTLS.sdkappid:${app}\nTLS.time:${time}\nTLS.expire:${expire}\n`;
  const token = {
    'TLS.ver': '2.0',
    'TLS.identifier': user,
    'TLS.sdkappid': app,
    'TLS.expire': expire,
    'TLS.time': time,
    'TLS.sig': createHmac('sha256', secret).update(text).digest('base64'),
  };
  const packed = deflateSync(JSON.stringify(token)).toString('base64');
  return packed.replaceAll('+', '*').replaceAll('/', '-').replaceAll('=', '_');
}
