import type { DynamicModule } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { IssuerOptions } from 'nestjs-resilient-auth';
import { createApp } from './create-app.js';
import { explainProblem } from './explain-problem.js';
import { listenForMessages } from './messages/listen-for-messages.js';
import { startPlayground } from './playground/start-playground.js';
import { readSettings, type Settings } from './settings.js';
import { openSharedStore, withStore } from './shared-metadata.js';
import { welcome, welcomeWithIssuer } from './welcome.js';

const running: { close(): Promise<void> }[] = [];

async function start(): Promise<void> {
  const settings = readSettings(process.env);
  if (settings.issuer) {
    const { app, messagePort } = await serve(settings.issuer, settings);
    const { issuer, audience } = settings.issuer;
    console.log(welcomeWithIssuer(await app.getUrl(), messagePort, issuer, String(audience)));
    return;
  }
  const playground = await startPlayground(settings);
  running.push(playground);
  const { app, messagePort } = await serve(playground.issuer, settings, [playground.module]);
  await playground.open(app);
  console.log(welcome(await app.getUrl(), messagePort, playground.provider));
}

async function serve(
  trusted: IssuerOptions,
  { port, messagePort: wanted, sharedStore }: Settings,
  extras: readonly DynamicModule[] = [],
): Promise<{ app: NestExpressApplication; messagePort: number }> {
  const shared = sharedStore && (await openSharedStore(sharedStore));
  if (shared) running.push(shared);
  const issuer = shared ? withStore(trusted, shared.store) : trusted;
  // The log is held back until the API listens: when it does not, one clear message is better than a stack trace.
  const app = await createApp(issuer, { bufferLogs: true, autoFlushLogs: false }, extras);
  running.push(app);
  await app.listen(port, '127.0.0.1');
  const messagePort = await listenForMessages(app, wanted);
  app.flushLogs();
  return { app, messagePort };
}

async function stop(): Promise<void> {
  // In the opposite order: the API must not miss its provider while it serves its last requests.
  for (const part of running.splice(0).toReversed()) {
    await part.close();
  }
}

try {
  await start();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void stop());
  }
} catch (problem) {
  console.error(`\nThe orders API did not start. ${explainProblem(problem)}\n`);
  process.exitCode = 1;
  await stop();
}
