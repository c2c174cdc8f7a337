import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { once } from 'node:events';
import { Logger } from '@nestjs/common';
import { answerWithFault } from './fault.js';
import type { Fault } from './fault.js';
import { KeyRing } from './key-ring.js';
import { loadOidcProvider } from './load-oidc-provider.js';
import { operate } from './operator.js';
import { providerConfiguration } from './provider-configuration.js';

/** Requests that arrived, answered or not. */
export interface ProviderCalls {
  discovery: number;
  jwks: number;
}

/** Receives each discovery and key set request as it arrives. */
export type CallListener = (endpoint: keyof ProviderCalls, request: IncomingMessage) => void;

// The operator's endpoints have no password: loopback only.
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
  readonly ring = new KeyRing();
  /** For the playground, which counts the requests of each caller. */
  onCall: CallListener | undefined;
  /** For the playground, which signs with the keys; called when other keys are published. */
  onKeys: (() => void) | undefined;
  private readonly logger = new Logger('Provider');
  private currentFault: Fault = 'none';
  private serve: RequestListener = (_request, response) => response.writeHead(503).end();

  constructor(
    readonly issuer: string,
    private readonly server: Server,
  ) {}

  get fault(): Fault {
    return this.currentFault;
  }

  /** Signs with a new key from now on and returns its `kid`. The key before it stays published unless `keepOld` is false. */
  async rotateKeys({ keepOld = true }: { keepOld?: boolean } = {}): Promise<string> {
    const { kid } = await this.ring.rotate({ keepOld });
    await this.publish();
    return kid;
  }

  /** Publishes the next signing key ahead of its first use and returns its `kid`; the next rotation signs with it. */
  async announceKey(): Promise<string> {
    const { kid } = await this.ring.announce();
    await this.publish();
    return kid;
  }

  /** Signs with a new key under the `kid` of the old one, which is a mistake of the provider; returns the `kid`. */
  async reuseKid(): Promise<string> {
    const { kid } = await this.ring.reuseKid();
    await this.publish();
    return kid;
  }

  /** Unpublishes the keys that no longer sign. */
  async withdrawOldKeys(): Promise<void> {
    this.ring.withdrawOld();
    await this.publish();
  }

  fail(fault: Fault): void {
    this.currentFault = fault;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Not `new URL()`: it throws on targets such as "//".
    const [path = '', query] = (request.url ?? '').split('?');
    if (request.method === 'POST' && (await operate(this, path, new URLSearchParams(query), response))) {
      return;
    }
    this.count(path, request);
    answerWithFault(this.currentFault, response, () => this.serve(request, response));
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    // A hanging answer would keep its connection open.
    this.server.closeAllConnections();
    await closed;
  }

  /** oidc-provider reads its keys once, when constructed. A new instance behind the same address publishes others. */
  private async publish(): Promise<void> {
    const { Provider } = await loadOidcProvider();
    const provider = new Provider(this.issuer, providerConfiguration(this.ring.published));
    provider.on('server_error', (_context, error) => this.logger.error(error));
    this.serve = provider.callback();
    this.onKeys?.();
  }

  private count(path: string, request: IncomingMessage): void {
    const endpoint = endpointOf(path);
    if (!endpoint) return;
    this.calls[endpoint] += 1;
    this.onCall?.(endpoint, request);
  }
}

function endpointOf(path: string): keyof ProviderCalls | undefined {
  if (path.startsWith('/.well-known/')) return 'discovery';
  return path === '/jwks' ? 'jwks' : undefined;
}
