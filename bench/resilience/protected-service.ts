import '../support/shifted-clock.js';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { sinceLatestCall } from '../support/outgoing-calls.js';
import { expose } from '../support/remote.js';
import { advanceBy } from '../support/shifted-clock.js';
import { LIBRARIES, type Library } from './libraries/index.js';
import type { Service, Trust } from './libraries/library.js';

const KEEP_ALIVE = 600_000;
const LONG_FOR_LOOPBACK = 100;

/** A service behind one of the libraries, in a process of its own. */
export class ProtectedService {
  readonly #delay = monitorEventLoopDelay({ resolution: 1 });

  private constructor(
    private readonly service: Service,
    private readonly listeningOn: number,
  ) {}

  static async start(library: Library, trust: Trust): Promise<ProtectedService> {
    const { start } = await library.load();
    const service = await start(trust);
    await service.app.listen(0, '127.0.0.1');
    // A client that reuses a connection just as it is closed would count as refused.
    service.app.getHttpServer().keepAliveTimeout = KEEP_ALIVE;
    return new ProtectedService(service, Number(new URL(await service.app.getUrl()).port));
  }

  port(): number {
    return this.listeningOn;
  }

  /** @returns milliseconds by which the clock has been shifted since the start */
  advance(milliseconds: number): Promise<number> {
    return advanceBy(milliseconds);
  }

  /** Whether the library waits for an answer of the provider that loopback would have brought by now. */
  isWaitingForProvider(): boolean {
    const waited = sinceLatestCall();
    return Number.isFinite(waited) && waited > LONG_FOR_LOOPBACK;
  }

  /** Refreshes started so far, where the library reports them. */
  refreshes(): number | undefined {
    return this.service.refreshes?.();
  }

  /** Megabytes in use after a collection: uncollected garbage is not the library's. */
  memoryKept(): number {
    setFlagsFromString('--expose-gc');
    const collect: unknown = runInNewContext('gc');
    if (typeof collect === 'function') collect();
    const { heapUsed, external } = process.memoryUsage();
    return (heapUsed + external) / 1e6;
  }

  watchEventLoop(): void {
    this.#delay.reset();
    this.#delay.enable();
  }

  /** @returns how late the event loop was since {@link watchEventLoop}, in milliseconds */
  eventLoopDelay(): { eventLoopP99: number; eventLoopMax: number } {
    this.#delay.disable();
    return { eventLoopP99: this.#delay.percentile(99) / 1e6, eventLoopMax: this.#delay.max / 1e6 };
  }
}

const [name, issuer, jwksUri, audience] = process.argv.slice(2);
const library = LIBRARIES.find(({ id }) => id === name);
if (process.send && library && issuer && jwksUri && audience)
  expose(await ProtectedService.start(library, { issuer, jwksUri, audience }));
