import type { ServerResponse } from 'node:http';
import { faults, isFault } from './fault.js';
import type { Fault } from './fault.js';

/** The provider as its operator sees it. */
export interface Operated {
  rotateKeys(options: { keepOld: boolean }): Promise<string>;
  fail(fault: Fault): void;
}

/**
 * `POST /rotate?keepOld=false` and `POST /fault?mode=down`: the operator's console, for `curl`.
 *
 * @returns whether the request was one of these
 */
export async function operate(
  provider: Operated,
  path: string,
  query: URLSearchParams,
  response: ServerResponse,
): Promise<boolean> {
  switch (path) {
    case '/rotate': {
      const keepOld = query.get('keepOld') !== 'false';
      reply(response, 200, { signingWith: await provider.rotateKeys({ keepOld }), keepOld });
      return true;
    }
    case '/fault': {
      const mode = query.get('mode');
      if (isFault(mode)) {
        provider.fail(mode);
        reply(response, 200, { mode });
      } else {
        reply(response, 400, { error: `mode is one of ${faults.join(', ')}` });
      }
      return true;
    }
    default:
      return false;
  }
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}
