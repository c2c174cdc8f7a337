import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createApp } from '../../../sample-app/create-app.js';
import { startPlayground, type Playground } from '../../../sample-app/playground/start-playground.js';
import { findBrowser, launchBrowser } from '../../support/browser/find-browser.js';

const executable = findBrowser();
const patient = { timeout: 30_000, interval: 100 };
/** Where a picture of the page goes; without it none is taken. */
const picture = process.env['PLAYGROUND_PICTURE'];

describe.skipIf(!executable)('the page of the playground in a browser', () => {
  let playground: Playground;
  let app: NestExpressApplication;
  let browser: Browser;
  let page: Page;
  /** Console errors, uncaught exceptions and violations of the policy. */
  let complaints: string[];

  beforeAll(async () => {
    playground = await startPlayground({ providerPort: 0 });
    // As in playground.spec.ts: what a busy machine delays is no refusal of the library.
    const metadata = { ...playground.issuer.metadata, timeout: '10s' };
    app = await createApp({ ...playground.issuer, metadata }, { logger: false }, [playground.module]);
    await app.listen(0, '127.0.0.1');
    await playground.open(app);
    browser = await launchBrowser(executable ?? '');
  });
  afterAll(async () => {
    await browser?.close();
    await app.close();
    await playground.close();
  });
  beforeEach(async () => {
    complaints = [];
    page = await browser.newPage({ viewport: { width: 1280, height: 1000 }, reducedMotion: 'reduce' });
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('requestfailed', (failed) => complaints.push(failed.url()));
    await page.goto(await app.getUrl());
    await page.locator('[data-side=library] [data-fact=accepted]', { hasText: /^[1-9]/ }).waitFor();
  });
  afterEach(async () => {
    await page.close();
  });

  const figure = async (side: string, name: string): Promise<number> => {
    const place = page.locator(`[data-side=${side}]`).locator(`[data-total=${name}], [data-fact=${name}]`);
    return Number((await place.innerText()).replaceAll(',', ''));
  };
  const button = (name: string): Locator => page.getByRole('button', { name });
  /** The steps of the newest row of the time line. */
  const steps = (): Promise<string> => page.locator('[data-timeline] > li').first().innerText();

  it('[E5] returns no refused request of the library when keys rotate under load', async () => {
    await button('Rotate old key stays published').click();
    await expect.poll(steps, patient).toMatch(/unknown key[^]*refresh: \+ key[^]*new key accepted/);
    await button('Rotate at once').click();
    await expect.poll(steps, patient).toMatch(/all others withdrawn[^]*new key accepted/);
    const accepted = await figure('library', 'accepted');
    await expect.poll(() => figure('library', 'accepted'), patient).toBeGreaterThan(accepted + 50);

    expect(await figure('library', 'refused')).toBe(0);
    expect(await figure('library', 'passed')).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('[E5] returns refused requests of the recipe only when the provider rotates in a flood', async () => {
    await page.getByRole('switch', { name: 'forged tokens' }).check();
    await expect.poll(() => figure('recipe', 'stopped'), patient).toBeGreaterThan(100);
    await button('Rotate at once').click();
    await expect.poll(() => figure('recipe', 'refused'), patient).toBeGreaterThan(100);
    await expect
      .poll(() => page.getByRole('status').first().innerText(), patient)
      .toContain('this library refuses none and the usual recipe all, by its own rate limit');
    expect(await page.locator('[data-side=recipe] .reasons').innerText()).toMatch(
      /^[\d,]+ refused by its own rate limit of key set requests$/,
    );

    expect(await figure('library', 'refused')).toBe(0);
    expect(complaints).toEqual([]);
    await page.getByRole('switch', { name: 'forged tokens' }).uncheck();
  });

  it('[E5] returns 503 apart from other refusals when the provider is down and a new key signs', async () => {
    const provider = page.getByRole('group', { name: 'Provider' });

    await provider.getByText('down', { exact: true }).click();
    expect(await provider.getByRole('radio', { name: 'down' }).isChecked()).toBe(true);
    await button('Rotate old key stays published').click();
    await expect
      .poll(() => page.locator('[data-side=library] .reasons').innerText(), patient)
      .toMatch(/^[\d,]+ refused with 503: try again$/);
    await provider.getByText('works', { exact: true }).click();
    await expect.poll(steps, patient).toContain('new key accepted');
    await button('Reset counters').click();
    expect(complaints).toEqual([]);
  });

  it('[E5] answers the keyboard when a control has the focus', async () => {
    const focused = (): Promise<string> =>
      page.evaluate('(document.activeElement.labels?.[0] ?? document.activeElement).innerText');

    await page.keyboard.press('Tab');
    expect(await focused()).toContain('Play the tour');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    expect(await focused()).toContain('Rotate');
    await page.keyboard.press('Enter');
    await expect.poll(steps, patient).toContain('the old one stays published');
    for (let count = 0; count < 5; count += 1) await page.keyboard.press('Tab');
    expect(await focused()).toBe('works');
    await page.keyboard.press('ArrowRight');
    await expect.poll(steps, patient).toContain('Provider goes down');
    await page.keyboard.press('ArrowLeft');
    await expect.poll(steps, patient).toContain('Provider works');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await expect.poll(steps, patient).toContain('Load off');
    await page.keyboard.press('Space');
    await expect.poll(steps, patient).toContain('Load on');
    expect(complaints).toEqual([]);
  });

  it('[E5] returns status, challenge and meaning when a token is sent', async () => {
    const answer = page.locator('[data-answer]');

    await page.getByLabel('Examples').selectOption('a scope is missing');
    await button('Sign and send').click();
    await expect
      .poll(() => answer.innerText(), patient)
      .toMatch(/403[^]*insufficient_scope[^]*AUTH_SCOPE_MISSING/);
    await page.getByLabel('Examples').selectOption('an administrator');
    await page.getByLabel('Sent to').selectOption({ label: 'GET /admin/stats, requires role admin' });
    await button('Sign and send').click();
    await expect.poll(() => answer.innerText(), patient).toMatch(/200[^]*pieces/);
    await page.getByLabel('Claims').fill('no JSON');
    await button('Sign and send').click();
    await expect.poll(() => answer.innerText(), patient).toContain('must be a JSON object');
    // The browser itself reports the answer 403.
    expect(complaints.filter((text) => !text.includes('403'))).toEqual([]);
  });

  it('[E5] returns the meaning of a refusal when GraphQL answers 200 and a route asks for a proof', async () => {
    const answer = page.locator('[data-answer]');
    const send = async (route: RegExp): Promise<void> => {
      const label = await page.locator('[name=route] option').filter({ hasText: route }).innerText();
      await page.getByLabel('Sent to').selectOption({ label });
      await button('Sign and send').click();
    };

    await page.getByLabel('Examples').selectOption('a scope is missing');
    await send(/graphql/);
    await expect
      .poll(() => answer.innerText(), patient)
      .toMatch(/200[^]*lacks a scope[^]*AUTH_SCOPE_MISSING/);
    expect(await answer.getAttribute('class')).not.toContain('good');
    await page.getByLabel('Examples').selectOption('a valid token');
    await send(/payments/);
    await expect.poll(() => answer.innerText(), patient).toMatch(/401[^]*proof of possession[^]*AUTH_PROOF/);
  });

  it.each([
    { colorScheme: 'light', width: 1280 },
    { colorScheme: 'dark', width: 360 },
  ] as const)(
    'returns a page without sideways scrolling when it is $colorScheme and $width wide',
    async (look) => {
      await page.emulateMedia({ colorScheme: look.colorScheme });
      await page.setViewportSize({ width: look.width, height: 800 });

      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(look.width);
    },
  );

  it.skipIf(!picture)(
    '[E5] returns the picture of the page when one is asked for',
    { timeout: 200_000 },
    async () => {
      await button('Reset counters').click();
      await page.setViewportSize({ width: 1180, height: 1150 });
      await button('Play the tour').click();
      await expect.poll(() => button('Play the tour').count(), { timeout: 150_000, interval: 500 }).toBe(1);
      await page.screenshot({ path: picture ?? '' });
    },
  );
});
