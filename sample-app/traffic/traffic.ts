import { ask, type Answer } from './ask.js';
import { Pace } from './pace.js';

export interface TrafficOptions {
  readonly url: string;
  readonly perSecond: number;
  /** The access token of the next request. */
  nextToken(): string;
  /** Called as a request is sent; the returned function receives its answer. */
  onRequest(): (answer: Answer) => void;
}

/** Requests at a steady rate, whether or not the ones before are answered. */
export class Traffic {
  private readonly inFlight = new Set<Promise<void>>();
  private readonly pace: Pace;

  constructor(private readonly options: TrafficOptions) {
    this.pace = new Pace(options.perSecond, () => this.send());
  }

  start(): void {
    this.pace.start();
  }

  /** Sends no more, and resolves when all that was sent is answered. */
  async stop(): Promise<void> {
    this.pace.stop();
    await Promise.all(this.inFlight);
  }

  send(): void {
    const request = this.request().finally(() => this.inFlight.delete(request));
    this.inFlight.add(request);
  }

  private async request(): Promise<void> {
    const answered = this.options.onRequest();
    answered(await ask(this.options.url, this.options.nextToken()));
  }
}
