import type { EmbeddedProvider } from '../provider/embedded-provider.js';
import type { BesideHttp } from './beside-http.js';
import { Figures } from './figures.js';
import { Progress } from './progress.js';
import { ask } from '../traffic/ask.js';
import { Traffic } from '../traffic/traffic.js';

export interface StageOptions {
  readonly url: string;
  readonly beside: BesideHttp;
  readonly provider: EmbeddedProvider;
  readonly validPerSecond: number;
  readonly forgedPerSecond: number;
  readonly forgedTokens: readonly string[];
  getToken(): Promise<string>;
}

/** Plays one phase after the other over the same traffic, and keeps the figures of each. */
export class Stage {
  readonly phases: Figures[] = [];
  private current = new Figures('');
  private tokens: readonly string[] = [];
  private readonly progress = new Progress();
  private readonly valid: Traffic;
  private readonly forged: Traffic;

  constructor(private readonly options: StageOptions) {
    const { url, validPerSecond, forgedPerSecond, forgedTokens } = options;
    const nextValid = inTurn(() => this.tokens);
    const nextForged = inTurn(() => forgedTokens);
    this.valid = new Traffic(validPerSecond, async () => {
      const figures = this.current;
      figures.countValid(await ask(url, nextValid()));
    });
    this.forged = new Traffic(forgedPerSecond, async () => {
      const figures = this.current;
      figures.countForged(await ask(url, nextForged()));
    });
  }

  async play(name: string, act: () => Promise<void>): Promise<void> {
    const figures = new Figures(name);
    this.current = figures;
    this.phases.push(figures);
    const callsBefore = this.calls;
    this.progress.begin(figures);
    await act();
    figures.calls = this.calls - callsBefore;
    this.progress.end(figures);
  }

  /** Starts the traffic with a first token. */
  async open(): Promise<void> {
    await this.goOn(await this.options.getToken());
  }

  async close(): Promise<void> {
    await Promise.all([this.valid.stop(), this.forged.stop(), this.options.beside.close()]);
  }

  /** The provider signs with a new key; from now on old and new tokens take turns. */
  async rotateWithOverlap(): Promise<void> {
    await this.options.provider.rotateKeys({ keepOld: true });
    this.tokens = [...this.tokens, await this.options.getToken()];
  }

  /**
   * The provider withdraws its keys and signs with a new one. The tokens signed before are good until the API learns of
   * it, which may be any moment now: so those under way are answered first, and the traffic goes on with a new token.
   */
  async rotateWithoutOverlap(): Promise<void> {
    await Promise.all([this.valid.stop(), this.options.beside.stop()]);
    await this.options.provider.rotateKeys({ keepOld: false });
    await this.goOn(await this.options.getToken());
  }

  /** One token of an unknown key: the API has to ask the provider about it. */
  forgeOne(): void {
    this.forged.send();
  }

  /** Sends forged tokens as well, until all of them and `act` are done. */
  async flooded(act: () => Promise<void>): Promise<void> {
    this.forged.start();
    await act();
    await this.forged.stop();
  }

  private async goOn(token: string): Promise<void> {
    this.tokens = [token];
    // First: a connection ends when the API learns that the key of its token was withdrawn.
    await this.options.beside.start(token);
    this.valid.start();
  }

  private get calls(): number {
    const { discovery, jwks } = this.options.provider.calls;
    return discovery + jwks;
  }
}

function inTurn(tokens: () => readonly string[]): () => string {
  let turn = 0;
  return () => tokens()[turn++ % tokens().length] ?? '';
}
