import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
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

  /** Ends the flood once every request has been answered. @throws when one was accepted: 503 says that it was not checked */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    while (this.#answered('') < this.#sent) await wait(10);
    for (const socket of this.#sockets) socket.destroy();
    const refused = this.#answered('401 ') + this.#answered('503 ');
    if (refused !== this.#sent) throw new Error(`${this.#sent} forged tokens sent, ${refused} refused`);
  }

  readonly #keep = (text: string): void => void this.#answers.push(text);

  #answered(status: string): number {
    return this.#answers.join('').split(`HTTP/1.1 ${status}`).length - 1;
  }
}

// Imported elsewhere for its types alone, this file runs only as a process.
expose(new Attacker());
