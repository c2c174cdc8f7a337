import {
  Client,
  StreamableHTTPClientTransport,
  UnauthorizedError,
  type OAuthClientProvider,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
} from '@modelcontextprotocol/client';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { McpServer } from '@modelcontextprotocol/server';
import { All, Controller, Get, Req, Res, type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { AllowAnonymous, Authorized, AuthModule, CurrentUser } from 'nestjs-resilient-auth';
import type { McpAuthInfo } from 'nestjs-resilient-auth/resource-metadata';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { platforms } from '../../support/apps/platforms.js';
import { issuerAndApi } from '../../support/apps/start-api.js';
import { freePort } from '../../support/brokers/free-port.js';
import { logIn, startOpenidProvider } from '../../support/issuers/openid-provider.js';

/** What Express and Fastify pass, as far as an MCP endpoint needs it. */
interface PlatformRequest extends IncomingMessage {
  readonly body?: unknown;
  readonly raw?: IncomingMessage;
  readonly auth?: McpAuthInfo;
}
interface PlatformResponse extends ServerResponse {
  readonly raw?: ServerResponse;
  hijack?(): void;
}

const seen: unknown[] = [];

@Controller('mcp')
class McpController {
  @All()
  @Authorized({ scopes: ['notes:read'] })
  async handle(@Req() call: PlatformRequest, @Res() response: PlatformResponse): Promise<void> {
    response.hijack?.();
    const server = new McpServer({ name: 'notes', version: '1.0.0' });
    server.registerTool('whoami', { description: 'Says who calls' }, ({ http }) => {
      seen.push(http?.authInfo);
      return { content: [{ type: 'text', text: `${http?.authInfo?.scopes.join(' ')}` }] };
    });
    const transport = new NodeStreamableHTTPServerTransport();
    await server.connect(transport);
    await transport.handleRequest(call.raw ?? call, response.raw ?? response, call.body);
  }
}

@Controller('notes')
class NotesController {
  @Get('auth')
  @Authorized({ optional: true })
  auth(@Req() call: PlatformRequest, @CurrentUser('sub') subject: string | undefined): object {
    return { subject: subject ?? null, auth: call.auth ?? null };
  }

  @Get('write')
  @Authorized({ scopes: ['notes:write'] })
  write(): string {
    return 'written';
  }

  @Get('open')
  @AllowAnonymous()
  open(@Req() call: PlatformRequest): object {
    return { auth: call.auth ?? null };
  }
}

/** A client that knows nothing of any issuer, and keeps what it learns. */
class Assistant implements OAuthClientProvider {
  readonly redirectUrl = 'http://127.0.0.1:1/callback';
  authorizationUrl: URL | undefined;
  readonly #kept: { client?: StoredOAuthClientInformation; tokens?: StoredOAuthTokens; verifier?: string } =
    {};

  get clientMetadata() {
    return {
      client_name: 'assistant',
      redirect_uris: [this.redirectUrl],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'native' as const,
    };
  }

  clientInformation() {
    return this.#kept.client;
  }

  saveClientInformation(client: StoredOAuthClientInformation): void {
    this.#kept.client = client;
  }

  tokens() {
    return this.#kept.tokens;
  }

  saveTokens(tokens: StoredOAuthTokens): void {
    this.#kept.tokens = tokens;
  }

  redirectToAuthorization(url: URL): void {
    this.authorizationUrl = url;
  }

  saveCodeVerifier(verifier: string): void {
    this.#kept.verifier = verifier;
  }

  codeVerifier(): string {
    return this.#kept.verifier ?? '';
  }
}

describe.each(platforms)('an MCP server, on $platform', ({ create }) => {
  async function listen(): Promise<{ app: INestApplication; url: string; issuer: string }> {
    const provider = await startOpenidProvider(['notes:read', 'notes:write']);
    onTestFinished(() => provider[Symbol.asyncDispose]());
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/mcp`;
    const imports = [
      AuthModule.forRoot({
        issuer: provider.issuer,
        audience: url,
        metadata: { requireHttps: false },
        publicUrl: url,
        protectedResource: { mcp: true },
        secureByDefault: true,
      }),
    ];
    const controllers = [McpController, NotesController];
    const app = await create(Test.createTestingModule({ imports, controllers }));
    onTestFinished(() => app.close());
    await app.listen(port, '127.0.0.1');
    return { app, url, issuer: provider.issuer };
  }

  it('[P1-8] accepts a client that knows the address of the server alone, once its user has logged in', async () => {
    const { url, issuer } = await listen();
    const authProvider = new Assistant();
    const connect = async () => {
      const client = new Client({ name: 'assistant', version: '1.0.0' });
      const transport = new StreamableHTTPClientTransport(new URL(url), { authProvider });
      onTestFinished(() => client.close());
      return { client, transport, connected: client.connect(transport) };
    };
    const first = await connect();
    await expect(first.connected).rejects.toThrow(UnauthorizedError);
    const { authorizationUrl } = authProvider;
    expect(authorizationUrl?.origin).toBe(issuer);
    // P1-5: what the challenge names, and not every scope there is.
    expect(authorizationUrl?.searchParams.get('scope')).toBe('notes:read');
    expect(authorizationUrl?.searchParams.get('resource')).toBe(url);
    if (!authorizationUrl) throw new Error('The client was not redirected');
    await first.transport.finishAuth(await logIn(authorizationUrl, authProvider.redirectUrl, 'alice'));

    const { client, connected } = await connect();
    await connected;
    seen.length = 0;
    const result = await client.callTool({ name: 'whoami', arguments: {} });
    expect(result.content).toEqual([{ type: 'text', text: 'notes:read' }]);
    const tokens = authProvider.tokens();
    expect(seen).toEqual([
      {
        token: tokens?.access_token,
        clientId: authProvider.clientInformation()?.client_id,
        scopes: ['notes:read'],
        expiresAt: expect.any(Number),
        resource: new URL(url),
      },
    ]);
  }, 30_000);

  it('[P1-8] sets request.auth for accepted tokens of HTTP requests alone, and only when mcp is on', async () => {
    const options = { publicUrl: 'https://api.example.com' };
    const settings = { controllers: [NotesController] };
    const on = await issuerAndApi(create, { ...options, protectedResource: { mcp: true } }, settings);
    const exp = Math.floor(Date.now() / 1000) + 100;
    const { body } = await on.get('/notes/auth', { sub: 'alice', scope: 'a b', exp });
    expect(body).toMatchObject({
      subject: 'alice',
      auth: {
        clientId: 'test-client',
        scopes: ['a', 'b'],
        expiresAt: exp,
        resource: 'https://api.example.com/',
        token: expect.stringMatching(/^ey/),
      },
    });
    for (const [claims, clientId] of [
      [{ client_id: undefined, azp: 'a', cid: 'b' }, 'a'],
      [{ client_id: undefined, cid: 'b' }, 'b'],
      [{ client_id: undefined, appid: 'c' }, 'c'],
      [{ client_id: undefined, azp: ['x'] }, ''],
    ] as const)
      expect((await on.get('/notes/auth', claims)).body.auth.clientId).toBe(clientId);
    expect((await on.get('/notes/auth')).body).toEqual({ subject: null, auth: null });
    expect((await on.get('/notes/open', {})).body).toEqual({ auth: null });
    const off = await issuerAndApi(create, { ...options, protectedResource: true }, settings);
    expect((await off.get('/notes/auth', { sub: 'alice' })).body).toEqual({ subject: 'alice', auth: null });
  });
});
