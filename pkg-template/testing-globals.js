// What the client under test gets in the place of the page's own; put in by `cargo xtask build` wherever the names stand.

export { Request, Response, WebSocket, addNetworkListener, fetch, removeNetworkListener } from './testing-network.js';
