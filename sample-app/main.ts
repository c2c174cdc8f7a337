import type { IssuerOptions } from 'nestjs-resilient-auth';
import { createApp } from './create-app.js';
import { explainProblem } from './explain-problem.js';
import { startProvider } from './provider/embedded-provider.js';
import { embeddedAudience } from './provider/provider-configuration.js';
import { readSettings, trust, type Settings } from './settings.js';
import { openSharedStore, withStore } from './shared-metadata.js';
import { welcome, welcomeWithIssuer } from './welcome.js';

const running: { close(): Promise<void> }[] = [];

async function start(): Promise<void> {
  const settings = readSettings(process.env);
  if (settings.issuer) {
    const api = await serve(settings.issuer, settings);
    console.log(welcomeWithIssuer(api, settings.issuer.issuer, String(settings.issuer.audience)));
    return;
  }
  const provider = await startProvider({ port: settings.providerPort });
  running.push(provider);
  const api = await serve(trust(provider.issuer, embeddedAudience), settings);
  console.log(welcome(api, provider.issuer));
}

async function serve(trusted: IssuerOptions, { port, sharedStore }: Settings): Promise<string> {
  const shared = sharedStore && (await openSharedStore(sharedStore));
  if (shared) running.push(shared);
  const issuer = shared ? withStore(trusted, shared.store) : trusted;
  // The log is held back until the API listens: when it does not, one clear message is better than a stack trace.
  const app = await createApp(issuer, { bufferLogs: true, autoFlushLogs: false });
  running.push(app);
  await app.listen(port, '127.0.0.1');
  app.flushLogs();
  return app.getUrl();
}

async function stop(): Promise<void> {
  // The API first: it must not miss its provider while it serves its last requests.
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
