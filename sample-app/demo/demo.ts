import type { MetadataOptions } from 'nestjs-resilient-auth';
import { createApp } from '../create-app.js';
import { explainProblem } from '../explain-problem.js';
import { ordersCli } from '../provider/clients.js';
import { startProvider } from '../provider/embedded-provider.js';
import { getToken } from '../provider/get-token.js';
import { embeddedAudience } from '../provider/provider-configuration.js';
import { trust } from '../settings.js';
import { closeConnections } from '../traffic/ask.js';
import { BesideHttp } from './beside-http.js';
import { Figures } from './figures.js';
import { forgeTokens } from './forge-tokens.js';
import { table, verdict } from './report.js';
import { Stage } from './stage.js';
import { playStory } from './story.js';

/** Shorter than the defaults, so that half a minute shows what otherwise takes hours. */
const refreshSettings = {
  automaticRefreshInterval: '3s',
  refreshInterval: '2s',
  refreshBurst: 5,
  refreshWait: '10s',
  timeout: '2s',
} satisfies MetadataOptions;

const validPerSecond = 100;
const forgedPerSecond = 300;
/** Made before the traffic starts: an attacker has a machine of his own. Enough for the flood. */
const forgedTokens = 2000;

async function demo(): Promise<Figures> {
  const provider = await startProvider({ port: 0 });
  const { metadata, ...issuer } = trust(provider.issuer, embeddedAudience);
  const app = await createApp(
    { ...issuer, metadata: { ...metadata, ...refreshSettings } },
    // The log of the API would stand between the lines of the story.
    { logger: ['error', 'fatal'] },
  );
  await app.listen(0, '127.0.0.1');

  console.log(introduction(provider.issuer, await app.getUrl()));
  const beside = new BesideHttp(await app.getUrl());
  const stage = new Stage({
    url: `${await app.getUrl()}/orders`,
    beside,
    provider,
    validPerSecond,
    forgedPerSecond,
    getToken: () => getToken(provider.issuer, ordersCli),
    forgedTokens: await forgeTokens(forgedTokens, provider.issuer, embeddedAudience),
  });
  await playStory(stage, provider);

  const rows = [...stage.phases, beside.queries, beside.messages];
  const total = Figures.total(rows);
  console.log(`\n${table(rows)}\n\n${verdict(total)}\n`);
  closeConnections();
  await app.close();
  await provider.close();
  return total;
}

function introduction(provider: string, api: string): string {
  const settings = Object.entries(refreshSettings).map(([name, value]) => `  ${name}: ${String(value)}`);
  return `
Orders API ${api}, OpenID provider ${provider}, both in this process.
${validPerSecond} valid requests a second; in the flood, ${forgedPerSecond} forged ones as well.
Beside them, GraphQL queries and messages over one open WebSocket.

Refresh settings, shorter than the defaults so that half a minute is enough:
${settings.join('\n')}

Forging ${forgedTokens} tokens, then half a minute of traffic:
`;
}

try {
  const total = await demo();
  process.exitCode = total.isFlawless ? 0 : 1;
} catch (problem) {
  console.error(`\nThe demo broke off. ${explainProblem(problem)}\n`);
  process.exit(1);
}
