import type { Socket } from 'node:net';

/**
 * The sample listens on loopback, on a port that may be chosen at the start, so that its address is that of the
 * connection. An API behind a proxy has one fixed address: `publicUrl: 'https://api.example.com'`.
 */
export function loopbackUrl(request: unknown): URL {
  const { socket }: { socket?: Socket } = Object(request);
  return new URL(`http://127.0.0.1:${socket?.localPort}`);
}
