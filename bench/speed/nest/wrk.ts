import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { CONNECTIONS } from '../settings.js';
import type { PoolFile } from '../tokens/token-pool.js';

const run = promisify(execFile);

/** Requests are formatted beforehand, so that the load takes as little of the processors as it can. */
const SCRIPT = `
local path, length, rotation, position = os.getenv("TOKENS"), tonumber(os.getenv("LENGTH")),
  tonumber(os.getenv("ROTATION")), tonumber(os.getenv("POSITION"))
local requests = {}
function init()
  local file = io.open(path, "rb")
  for index = 1, rotation do
    requests[index] = wrk.format("GET", "/", { ["Authorization"] = "Bearer " .. file:read(length) })
  end
  file:close()
end
function request()
  position = position % rotation + 1
  return requests[position]
end
`;

/** The result of one run. */
interface WrkResult {
  readonly perSecond: number;
  readonly answered: number;
}

/** The load generator `wrk`, where it is installed: it costs a fraction of what one in Node costs. */
export class Wrk {
  private constructor(private readonly script: string) {}

  /** Returns `undefined` where there is none. */
  static async find(directory: string): Promise<Wrk | undefined> {
    // It prints its version and how it is used, and exits with 1.
    const isThere = await run('wrk', ['--version']).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
    );
    if (!isThere) return undefined;
    const script = `${directory}/requests.lua`;
    await writeFile(script, SCRIPT);
    return new Wrk(script);
  }

  /**
   * One run of whole seconds.
   *
   * @param position in the rotation, from which it goes on
   * @throws when a request failed
   */
  async run(
    port: number,
    tokens: PoolFile,
    rotation: number,
    position: number,
    seconds: number,
  ): Promise<WrkResult> {
    const { stdout } = await run(
      'wrk',
      ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '-s', this.script, `http://127.0.0.1:${port}/`],
      {
        env: {
          ...process.env,
          TOKENS: tokens.path,
          LENGTH: String(tokens.length),
          ROTATION: String(rotation),
          POSITION: String(position % rotation),
        },
      },
    );
    const [, answered] = /(\d+) requests in/.exec(stdout) ?? [];
    const [, perSecond] = /Requests\/sec:\s+([\d.]+)/.exec(stdout) ?? [];
    if (answered === undefined || perSecond === undefined || /Non-2xx|Socket errors/.test(stdout))
      throw new Error(`wrk: ${stdout}`);
    return { answered: Number(answered), perSecond: Number(perSecond) };
  }
}
