import {
  createServer,
  validateHeaderName,
  validateHeaderValue,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Clock } from '../time/clock.js';
import type { TestIssuerEndpoint, TestIssuerHeaders } from './test-issuer.answers.js';
import { checkFault, reply, type Exchange, type TestIssuerFault } from './test-issuer.faults.js';
import type { TestIssuerSite } from './test-issuer.site.js';

/** One request the issuer has received. */
export interface TestIssuerRequest {
  readonly endpoint: TestIssuerEndpoint;
  readonly path: string;
  /** The issuer's wall clock, milliseconds since the epoch. */
  readonly at: number;
  /** Names in lower case. */
  readonly headers: Readonly<IncomingHttpHeaders>;
}

/** Which requests a fault, a header or a hold is about; `all` leaves out the canary alone. */
export type TestIssuerScope = 'all' | 'discovery' | 'jwks';

/** Answers kept back; see {@link TestIssuer.hold}. */
export interface TestIssuerHold {
  /** Resolves when the first request is being held: received, recorded, its answer computed. */
  readonly arrived: Promise<void>;
  /** Sends what is held and holds nothing more. */
  readonly release: () => void;
}

interface Hold {
  readonly scope: TestIssuerScope;
  readonly replies: (() => void)[];
  readonly arrive: () => void;
}

/** The HTTP side of a test issuer: records requests, and answers, withholds or spoils what the site serves. */
export class TestIssuerServer {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #faults = new Map<TestIssuerEndpoint, TestIssuerFault>();
  readonly #headers = new Map<TestIssuerEndpoint, TestIssuerHeaders>();
  readonly #hanging = new Set<Exchange>();
  readonly #holds = new Set<Hold>();
  #requests: TestIssuerRequest[] = [];

  private constructor(server: Server, port: number, clock: Clock) {
    this.#server = server;
    this.#clock = clock;
    this.origin = `http://127.0.0.1:${port}`;
  }

  /** Takes a free port of 127.0.0.1. */
  static async listen(clock: Clock): Promise<TestIssuerServer> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    const address = server.address();
    if (address === null || typeof address === 'string')
      throw new Error('TestIssuer has no port to listen on');
    return new TestIssuerServer(server, address.port, clock);
  }

  /** Answers requests from now on; no client knows the address before. */
  serve(site: TestIssuerSite): void {
    this.#server.on('request', (request, response) => void this.#receive(site, request, response));
  }

  get requests(): readonly TestIssuerRequest[] {
    return [...this.#requests];
  }

  clearRequests(): void {
    this.#requests = [];
  }

  fail(scope: TestIssuerScope, fault: TestIssuerFault): void {
    checkFault(fault);
    for (const endpoint of endpointsOf(scope)) this.#faults.set(endpoint, fault);
  }

  recover(scope: TestIssuerScope): void {
    const recovered = endpointsOf(scope);
    for (const endpoint of recovered) this.#faults.delete(endpoint);
    for (const exchange of this.#hanging) {
      if (recovered.includes(exchange.endpoint)) exchange.request.socket.destroy();
    }
  }

  respondWith(scope: TestIssuerScope, headers: TestIssuerHeaders): void {
    const lowered = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => {
        validateHeaderName(name);
        validateHeaderValue(name, value);
        return [name.toLowerCase(), value];
      }),
    );
    for (const endpoint of endpointsOf(scope)) this.#headers.set(endpoint, lowered);
  }

  hold(scope: TestIssuerScope): TestIssuerHold {
    let arrive: (() => void) | undefined;
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const hold: Hold = { scope, replies: [], arrive: () => arrive?.() };
    this.#holds.add(hold);
    const release = (): void => {
      this.#holds.delete(hold);
      for (const send of hold.replies.splice(0)) send();
    };
    return { arrived, release };
  }

  async close(): Promise<void> {
    const isClosed = new Promise<void>((resolve) => {
      // Calls back with an error when the server was closed before, which is harmless.
      this.#server.close(() => resolve());
    });
    this.#server.closeAllConnections();
    await isClosed;
  }

  async #receive(site: TestIssuerSite, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = pathOf(request.url ?? '/');
    const endpoint = site.endpointAt(path);
    this.#requests.push({ endpoint, path, at: this.#clock.now(), headers: request.headers });
    // The answer is computed now: later changes do not show in it.
    const fault = this.#faults.get(endpoint);
    const extra = this.#headers.get(endpoint);
    const hold = [...this.#holds].find(({ scope }) => endpointsOf(scope).includes(endpoint));
    try {
      const answer = await site.answerAt(path);
      const exchange = {
        endpoint,
        request,
        response,
        answer: { ...answer, headers: { ...answer.headers, ...extra } },
      };
      const send = (): void => this.#answer(exchange, fault);
      // A hold may have been released while the answer was computed.
      if (!hold || !this.#holds.has(hold)) return send();
      hold.replies.push(send);
      hold.arrive();
    } catch (error) {
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain' });
      response.end(String(error));
    }
  }

  #answer(exchange: Exchange, fault: TestIssuerFault | undefined): void {
    // The client left while its answer was held.
    if (exchange.response.destroyed) return;
    if (fault !== 'hang') return reply(exchange, fault);
    this.#hanging.add(exchange);
    exchange.response.once('close', () => this.#hanging.delete(exchange));
  }
}

function endpointsOf(scope: TestIssuerScope): readonly TestIssuerEndpoint[] {
  return scope === 'all' ? ['discovery', 'jwks', 'other'] : [scope];
}

/** Without the query, and decoded: an issuer's path may hold braces. */
function pathOf(url: string): string {
  const path = url.split('?', 1).join('');
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}
