import type { ServerResponse } from 'node:http';

/** How the provider fails. */
export const faults = ['none', 'down', 'html', 'hang', 'slow'] as const;
export type Fault = (typeof faults)[number];

/** Milliseconds until a slow provider answers: within the timeout of most clients, noticed by all of them. */
const slowness = 1500;

export function isFault(word: string | null): word is Fault {
  return faults.some((fault) => fault === word);
}

/** Answers one request with the fault, or leaves it unanswered. `serve` is the answer of a provider that works. */
export function answerWithFault(fault: Fault, response: ServerResponse, serve: () => void): void {
  switch (fault) {
    case 'none':
      serve();
      break;
    case 'down':
      response.destroy();
      break;
    case 'html':
      // 200 and a page, as load balancers like to answer for the service behind them.
      response.setHeader('Content-Type', 'text/html').end('<h1>We will be back soon</h1>');
      break;
    case 'hang':
      break;
    case 'slow':
      answerLater(response, serve);
      break;
  }
}

function answerLater(response: ServerResponse, serve: () => void): void {
  const timer = setTimeout(serve, slowness);
  response.once('close', () => clearTimeout(timer));
}
