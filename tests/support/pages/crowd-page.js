// `window.crowd` is what the tests call.

import { makeCrowd } from './crowd.js';

window.crowd = makeCrowd((copy) => import(`./message-extensions/index.js?copy=${copy}`));
addEventListener('error', ({ message }) => window.crowd.mistakes.push(message));
addEventListener('unhandledrejection', ({ reason }) => window.crowd.mistakes.push(String(reason)));
