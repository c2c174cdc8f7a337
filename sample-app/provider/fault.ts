import type { ServerResponse } from 'node:http';

/** What an identity provider does on a bad day. */
export const faults = ['none', 'down', 'html', 'hang'] as const;
export type Fault = (typeof faults)[number];

export function isFault(word: string | null): word is Fault {
  return faults.some((fault) => fault === word);
}

/** Answers, or fails to answer, one request as the fault wants it. */
export function answerWithFault(fault: Exclude<Fault, 'none'>, response: ServerResponse): void {
  switch (fault) {
    case 'down':
      response.destroy();
      break;
    case 'html':
      // 200 and a page, as load balancers like to answer for the service behind them.
      response.setHeader('Content-Type', 'text/html').end('<h1>We will be back soon</h1>');
      break;
    case 'hang':
      break;
  }
}
