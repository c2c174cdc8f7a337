import type { INestApplication } from '@nestjs/common';
import { connect, type AddressInfo } from 'node:net';

/** One HTTP exchange as written: supertest and fetch would not send such a request. */
export async function exchange(app: INestApplication, lines: readonly string[]): Promise<string> {
  const server = app.getHttpServer();
  if (!server.listening) await app.listen(0, '127.0.0.1');
  const { port }: AddressInfo = server.address();
  return new Promise((resolve, reject) => {
    const request = [...lines, 'Host: api.test', 'Connection: close', '', ''].join('\r\n');
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.from(request, 'latin1')));
    let answer = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
    socket.on('end', () => resolve(answer)).on('error', reject);
  });
}
