// Wasm that a script contains, as plain base64: every host of tests can read it, without fetch and at once.

export const decode = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
