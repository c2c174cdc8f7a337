/** One answer, or the lack of one. */
export interface Answer {
  /** HTTP status; 0 when none came. */
  readonly status: number;
  readonly milliseconds: number;
}

export interface TrafficOptions {
  readonly url: string;
  readonly perSecond: number;
  /** The access token of the next request. */
  nextToken(): string;
  /** Called as a request is sent; the returned function receives its answer. */
  onRequest(): (answer: Answer) => void;
}

const tick = 10;
const patience = 30_000;
/** On a machine that cannot keep up, no more than this many milliseconds of requests are sent at once. */
const catchUp = 100;

/** Requests at a steady rate, whether or not the ones before are answered: as many independent clients send them. */
export class Traffic {
  private readonly inFlight = new Set<Promise<void>>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: TrafficOptions) {}

  start(): void {
    const interval = 1000 / this.options.perSecond;
    let dueAt = performance.now();
    this.timer = setInterval(() => {
      const now = performance.now();
      for (dueAt = Math.max(dueAt, now - catchUp); dueAt <= now; dueAt += interval) {
        this.send();
      }
    }, tick);
  }

  /** Sends no more, and returns when all that was sent is answered. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all(this.inFlight);
  }

  send(): void {
    const request = this.request().finally(() => this.inFlight.delete(request));
    this.inFlight.add(request);
  }

  private async request(): Promise<void> {
    const answered = this.options.onRequest();
    const startedAt = performance.now();
    const status = await ask(this.options.url, this.options.nextToken());
    answered({ status, milliseconds: performance.now() - startedAt });
  }
}

async function ask(url: string, token: string): Promise<number> {
  try {
    const response = await fetch(url, {
      headers: { Authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(patience),
    });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 0;
  }
}
