import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expose } from '../../support/remote.js';

/** Connections of the attacker; each waits for no answer before its next request. */
const CONNECTIONS = 64;

/** Forged tokens over HTTP at a steady rate, a few in each millisecond, from a process of its own. */
export class Attacker {
  #sockets: readonly Socket[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sent = 0;
  #answers: string[] = [];

  async start(port: number, perSecond: number, tokens: readonly string[]): Promise<void> {
    this.#sent = 0;
    this.#answers = [];
    this.#sockets = Array.from({ length: CONNECTIONS }, () => connect(port, '127.0.0.1'));
    await Promise.all(this.#sockets.map((socket) => once(socket, 'connect')));
    for (const socket of this.#sockets) socket.setEncoding('latin1').on('data', this.#keep);
    const requests = tokens.map(
      (token) => `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\n\r\n`,
    );
    const begun = performance.now();
    this.#timer = setInterval(() => {
      const due = ((performance.now() - begun) / 1000) * perSecond;
      for (; this.#sent < due; this.#sent += 1) {
        const request = requests[this.#sent % requests.length] ?? '';
        this.#sockets[this.#sent % CONNECTIONS]?.write(request);
      }
    }, 1);
  }

  /** @throws when an answer was missing or another than 401 */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    for (const socket of this.#sockets) socket.end();
    const open = this.#sockets.filter((socket) => !socket.closed);
    await Promise.all(open.map((socket) => once(socket, 'close')));
    const refused = this.#answers.join('').split('HTTP/1.1 401 ').length - 1;
    if (refused !== this.#sent) throw new Error(`${this.#sent} forged tokens sent, ${refused} refused`);
  }

  readonly #keep = (text: string): void => void this.#answers.push(text);
}

// Imported elsewhere for its types alone, this file runs only as a process.
expose(new Attacker());
