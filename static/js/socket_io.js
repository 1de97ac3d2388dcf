/** @import { EndScene } from "./protocol.js" */

/**
 * What the page uses of socket.io-client 4.8, as types, so that a fake can stand in for it.
 *
 * @typedef {object} EngineSocket
 * @property {(event: "handshake", fn: (data: {pingInterval: number}) => void) => unknown} on
 *
 * @typedef {object} SocketManager
 * @property {EngineSocket} engine
 * @property {(event: "ping", fn: () => void) => unknown} on
 *
 * @typedef {Error & {data?: {code?: string, message?: string, scene?: EndScene}}} ConnectError
 *
 * @typedef {object} ClientSocket
 * @property {SocketManager} io
 * @property {boolean} connected
 * @property {(event: string, fn: (detail: any) => void) => unknown} on
 * @property {(fn: (event: string, payload: any) => void) => unknown} onAny
 * @property {(event: string, payload: object, acknowledge?: (answer: any) => void) => unknown} emit
 * @property {() => unknown} disconnect
 *
 * @typedef {object} SocketOptions
 * @property {string[]} transports
 * @property {boolean} reconnection
 * @property {boolean} forceNew
 * @property {number} timeout milliseconds for the WebSocket to open
 * @property {(give: (auth: object) => void) => void} auth evaluated when CONNECT is sent
 *
 * @typedef {(options: SocketOptions) => ClientSocket} OpenSocket
 */

export {};
