import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { once } from 'node:events';
import { Logger } from '@nestjs/common';
import { answerWithFault } from './fault.js';
import type { Fault } from './fault.js';
import { loadOidcProvider } from './load-oidc-provider.js';
import { operate } from './operator.js';
import { providerConfiguration } from './provider-configuration.js';
import { createSigningKey } from './signing-key.js';
import type { SigningKey } from './signing-key.js';

/** Requests that arrived, answered or not. */
export interface ProviderCalls {
  discovery: number;
  jwks: number;
}

// The operator's endpoints have no password: they must not be reachable from another machine.
const host = '127.0.0.1';

/** Starts the embedded provider on loopback; port 0 takes a free one. */
export async function startProvider({ port }: { port: number }): Promise<EmbeddedProvider> {
  const server = createServer();
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  // The issuer is its own address, so it is known only now.
  const listening = typeof address === 'object' && address !== null ? address.port : port;
  const provider = new EmbeddedProvider(`http://${host}:${listening}`, server);
  await provider.rotateKeys();
  server.on('request', (request, response) => void provider.answer(request, response));
  return provider;
}

/** A certified OpenID provider (`oidc-provider`) in this process, with an operator who can rotate its keys and break it. */
export class EmbeddedProvider {
  readonly calls: ProviderCalls = { discovery: 0, jwks: 0 };
  private readonly logger = new Logger('Provider');
  private keys: readonly SigningKey[] = [];
  /** Made ahead: a rotation should take no time. */
  private nextKey = createSigningKey();
  private fault: Fault = 'none';
  private serve: RequestListener = (_request, response) => response.writeHead(503).end();

  constructor(
    readonly issuer: string,
    private readonly server: Server,
  ) {}

  /**
   * Signs with a new key from now on and returns its `kid`. The key before it stays published unless `keepOld` is false.
   *
   * oidc-provider reads its keys once, when constructed. A new instance behind the same address is a rotation.
   */
  async rotateKeys({ keepOld = true }: { keepOld?: boolean } = {}): Promise<string> {
    const nextKey = this.nextKey;
    this.nextKey = createSigningKey();
    const [{ Provider }, key] = await Promise.all([loadOidcProvider(), nextKey]);
    // The first key signs.
    this.keys = [key, ...(keepOld ? this.keys.slice(0, 1) : [])];
    const provider = new Provider(this.issuer, providerConfiguration(this.keys));
    provider.on('server_error', (_context, error) => this.logger.error(error));
    this.serve = provider.callback();
    return key.kid;
  }

  fail(fault: Fault): void {
    this.fault = fault;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Not `new URL()`: it throws on targets such as "//".
    const [path = '', query] = (request.url ?? '').split('?');
    if (request.method === 'POST' && (await operate(this, path, new URLSearchParams(query), response))) {
      return;
    }
    this.count(path);
    if (this.fault !== 'none') {
      return answerWithFault(this.fault, response);
    }
    this.serve(request, response);
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    // A hanging answer would keep the server open for ever.
    this.server.closeAllConnections();
    await closed;
  }

  private count(path: string): void {
    if (path.startsWith('/.well-known/')) {
      this.calls.discovery += 1;
    }
    if (path === '/jwks') {
      this.calls.jwks += 1;
    }
  }
}
