export {
  HandshakeAuthentication,
  HandshakeAuthModule,
  type ProtectOptions,
} from './handshake-authentication.js';
export { webSocketContext, type WebSocketContextOptions } from './websocket.context.js';
