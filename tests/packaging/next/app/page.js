// A page that is rendered on the server first, which imports the package too.

'use client';

import { useEffect, useState } from 'react';
import * as sdk from 'message-extensions';
import * as uses from '../vote.js';

export default function Page() {
  const [state, setState] = useState('rendered by the server');
  useEffect(() => {
    window.entry = { use: (name, options) => uses[name](sdk, options) };
    setState('running');
  }, []);
  return <p>message-extensions {sdk.VERSION}: {state}</p>;
}
