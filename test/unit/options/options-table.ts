import type { ResolvedAuthOptions, ResolvedIssuer } from '../../../lib/options/resolved-options.js';

/** One option: what documents say about it, and what the library does. */
export interface OptionRow {
  /** As in a message: `metadata.timeout`. */
  readonly option: string;
  /** As in docs/options.md. */
  readonly default: string;
  /** As in docs/options.md. */
  readonly bounds: string;
  /** The default after validation, and where it is found; absent: there is no single value. */
  readonly resolved?: readonly [
    value: unknown,
    of: (options: ResolvedAuthOptions, issuer: ResolvedIssuer) => unknown,
  ];
  /** Accepted, the bounds themselves among them. */
  readonly accepted: readonly unknown[];
  /** Just out of bounds, or of the wrong kind. */
  readonly refused: readonly unknown[];
  /** What the message names as allowed. */
  readonly message: RegExp;
  /** Whether default and bounds stand in the option's TSDoc in these very words. Default `true`. */
  readonly inTsdoc?: boolean;
}

const FUNCTION = /a function/;
const BOOLEAN = /true or false/;
const noop = (): undefined => undefined;

const context = (type: string): object => ({
  type,
  operationOf: noop,
  credentialsOf: noop,
  toException: noop,
});

const protectedResource = (members: object): object => ({ resource: 'https://api.example.com', ...members });

const moduleOptions: readonly OptionRow[] = [
  {
    option: 'jwtFromRequest',
    default: 'a parser of `Authorization: Bearer`',
    bounds: 'a function of the request that returns a string or `null`',
    resolved: [undefined, ({ jwtFromRequest }) => jwtFromRequest],
    accepted: [noop],
    refused: ['header', {}, null],
    message: /a function from request to token or null/,
    inTsdoc: false,
  },
  {
    option: 'tokenMaxLength',
    default: '`16_384`',
    bounds: 'at least 256',
    resolved: [16_384, ({ tokenMaxLength }) => tokenMaxLength],
    accepted: [256, 1_000_000],
    refused: [255, -1, '1000', 300.5, null, Number.NaN],
    message: /a whole number, at least 256/,
  },
  {
    option: 'realm',
    default: 'none',
    bounds: 'printable ASCII without quotes and backslashes',
    resolved: [undefined, ({ realm }) => realm],
    accepted: ['orders', "an orders' realm"],
    refused: ['a"b', 'a\\b', 'a\nb', 'ä', '', 7],
    message: /printable ASCII without quotes and backslashes/,
    inTsdoc: false,
  },
  {
    option: 'tokenCache',
    default: '`{ max: 10_000, maxBytes: 33_554_432 }`',
    bounds: '`false`, or `max` of at least 1 and `maxBytes` of at least 65536',
    resolved: [{ max: 10_000, maxBytes: 33_554_432 }, ({ tokenCache }) => tokenCache],
    accepted: [false, {}, { max: 1 }, { maxBytes: 65_536 }],
    refused: [true, { max: 0 }, { maxBytes: 65_535 }, { max: '10' }, null],
    message: /false, or an object of max, at least 1, and maxBytes, at least 65536/,
    inTsdoc: false,
  },
  {
    option: 'contexts',
    default: 'none',
    bounds: 'a list of `AuthContext`, one per type; HTTP is always on',
    resolved: [[], ({ contexts }) => contexts],
    accepted: [[], [context('queue'), context('bot')]],
    refused: [{}, [{}], [null], [context('http')], [context('a'), context('a')], null],
    message: /a list of contexts, one per type/,
    inTsdoc: false,
  },
  {
    option: 'otherContexts',
    default: "`'refuse'`",
    bounds: "`'refuse'` or `'ignore'`",
    resolved: ['refuse', ({ otherContexts }) => otherContexts],
    accepted: ['refuse', 'ignore'],
    refused: ['allow', true, null],
    message: /'refuse' or 'ignore'/,
    inTsdoc: false,
  },
  {
    option: 'extensions',
    default: 'none',
    bounds: 'a list of `AuthExtension`: a `name`, and any of its other members',
    resolved: [[], ({ extensions }) => extensions],
    accepted: [
      [],
      [
        { name: 'a', tokenCheck: { check: noop } },
        { name: 'b', answer: noop },
        { name: 'c', observer: { ended: noop } },
      ],
    ],
    refused: [
      {},
      [{}],
      [null],
      [{ name: 'a', tokenCheck: noop }],
      [{ name: 'a', answer: {} }],
      [{ name: 'a', observer: noop }],
      [{ name: 'a', accepted: {} }],
      null,
    ],
    message: /a list of objects with a name, and any of tokenCheck, answer, observer and the hooks of a boot/,
    inTsdoc: false,
  },
  {
    option: 'publicUrl',
    default: 'none',
    bounds:
      'an https URL without query and fragment, http for localhost only; or a function from request to `URL`',
    resolved: [undefined, ({ publicUrl }) => publicUrl],
    accepted: ['https://api.example.com/v1', 'http://localhost:3000', 'http://[::1]:3000', noop],
    refused: [
      'api.example.com',
      'http://api.example.com',
      'https://a.example?b',
      'https://a.example#b',
      'https://a:b@c.example',
      ' https://a.example',
      '',
      7,
      null,
    ],
    message: /an https URL without query and fragment/,
    inTsdoc: false,
  },
  {
    option: 'scopeImplies',
    default: 'none',
    bounds: 'an object from a scope to a list of at least one scope, without cycles',
    resolved: [new Map(), ({ impliedBy }) => impliedBy],
    accepted: [{}, { a: ['b'], b: ['c', 'd'], x: ['d'] }],
    refused: [
      { a: ['a'] },
      { a: ['b'], b: ['c'], c: ['a'] },
      { a: [] },
      { a: 'b' },
      { 'a b': ['c'] },
      { a: [''] },
      [],
      null,
    ],
    message: /an object from a scope to a list of at least one scope, without cycles/,
    inTsdoc: false,
  },
  {
    option: 'mtls',
    default: 'none',
    bounds: "`{ from: 'socket' }`, or `{ from: 'header', preset, trustedProxies }`",
    resolved: [undefined, ({ mtls }) => mtls],
    accepted: [
      { from: 'socket' },
      ...[
        'rfc9440',
        'nginx',
        'envoy',
        'aws-alb',
        'traefik',
        'cloudflare',
        { name: 'X-Cert', decode: noop },
      ].map((preset) => ({ from: 'header', preset, trustedProxies: ['10.0.0.0/8'] })),
      ...[
        ['10.1.2.3'],
        ['10.0.0.0/32', '0.0.0.0/1', '::1', 'fd00::/8', '::ffff:10.0.0.0/104', '::/128'],
        noop,
      ].map((trustedProxies) => ({ from: 'header', preset: 'nginx', trustedProxies })),
    ],
    refused: [
      'socket',
      null,
      {},
      { from: 'tls' },
      { from: 'socket', trustedProxies: ['10.0.0.0/8'] },
      { from: 'header', preset: 'nginx' },
      { from: 'header', trustedProxies: ['10.0.0.0/8'] },
      ...[
        'haproxy',
        {},
        { name: 'X-Cert' },
        { name: 'X Cert', decode: noop },
        { name: '', decode: noop },
      ].map((preset) => ({ from: 'header', preset, trustedProxies: ['10.0.0.0/8'] })),
      ...[
        [],
        '10.0.0.0/8',
        [7],
        ['0.0.0.0/0'],
        ['::/0'],
        ['10.0.0.0/33'],
        ['::1/129'],
        ['10.0.0.0/8/8'],
        ['10.0.0.0/'],
        ['10.0.0.0/08'],
        ['10.0.0.0/-1'],
        ['10.0.0'],
        ['fe80::1%eth0'],
        ['localhost'],
      ].map((trustedProxies) => ({ from: 'header', preset: 'nginx', trustedProxies })),
    ],
    message:
      /from: 'socket'|preset|\{ name, decode \}|a list of at least one address|a list of addresses|no option of this name/,
    inTsdoc: false,
  },
  {
    option: 'protectedResource',
    default: 'none',
    bounds: '`true`, or an object of the members below',
    resolved: [undefined, (options) => options.protectedResource],
    accepted: [
      protectedResource({}),
      protectedResource({ maxAge: '0s' }),
      protectedResource({ maxAge: '1d', scopesSupported: [], mcp: true }),
      protectedResource({ documentation: 'http://docs.example.com?a=b#c' }),
    ],
    refused: [
      false,
      'https://api.example.com',
      [],
      null,
      protectedResource({ resource: 'http://api.example.com' }),
      protectedResource({ resource: 'https://api.example.com?a=b' }),
      protectedResource({ name: '' }),
      protectedResource({ policy: 'policy' }),
      protectedResource({ termsOfService: 'javascript:alert(1)' }),
      protectedResource({ scopesSupported: ['a b'] }),
      protectedResource({ authorizationServers: [] }),
      protectedResource({ authorizationServers: ['login.example.com'] }),
      protectedResource({ maxAge: '25h' }),
      protectedResource({ maxAge: 60 }),
      protectedResource({ mcp: 'yes' }),
      protectedResource({ jwks_uri: 'https://api.example.com' }),
    ],
    message:
      /true, or an object of what clients read|an https URL|a text|an https or http URL|a list of|a string with its unit, from 0s to 1d|true or false|no option of this name/,
    inTsdoc: false,
  },
];

const issuerOptions: readonly OptionRow[] = [
  {
    option: 'issuer',
    default: 'required',
    bounds: 'an https URL without query and fragment; may hold `{tenantid}`',
    accepted: ['https://issuer.test', 'https://issuer.test/realms/a/'],
    refused: [
      undefined,
      '',
      'issuer.test',
      'http://issuer.test',
      'https://issuer.test?a=b',
      'https://issuer.test#a',
    ],
    message: /https URL|query and fragment/,
    inTsdoc: false,
  },
  {
    option: 'audience',
    default: 'required',
    bounds: 'a string, a list of at least one string, or `null`',
    accepted: ['api', ['api', 'other'], null],
    refused: [undefined, '', [], [''], 7],
    message: /a string, a list of (at least one string|strings), or null to switch the check off on purpose/,
    inTsdoc: false,
  },
  {
    option: 'name',
    default: 'the `issuer`',
    bounds: 'a string, unique among the issuers',
    resolved: ['https://issuer.test', (_, { name }) => name],
    accepted: ['main'],
    refused: ['', 7, null],
    message: /a name/,
    inTsdoc: false,
  },
  {
    option: 'tokenIssuers',
    default: '`[issuer]`',
    bounds: 'a list of at least one string; each value belongs to one issuer only',
    resolved: [['https://issuer.test'], (_, { tokenIssuers }) => tokenIssuers],
    accepted: [['https://other.test']],
    refused: [[], 'https://other.test', [7]],
    message: /a list of at least one iss value|a string/,
    inTsdoc: false,
  },
  {
    option: 'tenants',
    default: 'none; required with `{tenantid}`',
    bounds: 'a list of tenant ids, a function that returns `true` or `false`, or `null` for any tenant',
    accepted: [],
    refused: [['a'], null, noop, [], 'a'],
    message: /a list of tenant ids, a function of the tenant id, or null|only together with \{tenantid\}/,
    inTsdoc: false,
  },
  {
    option: 'algorithms',
    default:
      '`RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384`, `ES512`, `EdDSA`, `Ed25519`',
    bounds:
      'a list of at least one of these and of `ML-DSA-44`, `ML-DSA-65`, `ML-DSA-87`; `none` and `HS*` are refused',
    resolved: [
      ['ES256', 'ES384', 'ES512', 'Ed25519', 'EdDSA', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512'],
      (_, { algorithms }) => [...algorithms].toSorted(),
    ],
    accepted: [['ES256'], ['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87']],
    refused: [[], ['none'], ['RS256', 'HS256'], ['rs256'], 'RS256', null],
    message: /one of RS256, .*; never none or HS\*|a list of at least one algorithm/,
    inTsdoc: false,
  },
  {
    option: 'tokenTypes',
    default: "`['at+jwt', 'JWT', null]`",
    bounds: 'a list of media types; `null` stands for an absent `typ`',
    accepted: [['at+jwt'], [null]],
    refused: [[], [''], 'JWT', null],
    message: /a list of media types, null in it standing for an absent typ/,
    inTsdoc: false,
  },
  {
    option: 'requiredClaims',
    default: '`[]`',
    bounds: 'a list of claim names, or an object of accepted values by name',
    resolved: [[], (_, { requiredClaims }) => requiredClaims],
    accepted: [[], ['sub'], { sub: true }, { client_id: ['web'], sub: true }],
    refused: [
      'sub',
      [''],
      [7],
      null,
      { client_id: [] },
      { client_id: 'web' },
      { client_id: [7] },
      { client_id: false },
    ],
    message: /a list of claim names, or an object of claim names/,
    inTsdoc: false,
  },
  {
    option: 'clockTolerance',
    default: "`'30s'`",
    bounds: "`'0s'` to `'5m'`, a string with its unit",
    resolved: [30, (_, { clockTolerance }) => clockTolerance],
    accepted: ['0s', '5m'],
    refused: ['301s', '-1s', 30, '30', null],
    message: /a string with its unit, from 0s to 5m/,
    inTsdoc: false,
  },
  {
    option: 'maxTokenAge',
    default: 'none',
    bounds: "at least `'1s'`, a string with its unit",
    resolved: [undefined, (_, { maxTokenAge }) => maxTokenAge],
    accepted: ['1s', '365d'],
    refused: ['999ms', 3600, '60', Number.POSITIVE_INFINITY],
    message: /a string with its unit, at least 1s/,
    inTsdoc: false,
  },
  {
    option: 'acceptIdTokens',
    default: '`false`',
    bounds: '`true` or `false`',
    resolved: [false, (_, { acceptIdTokens }) => acceptIdTokens],
    accepted: [true, false],
    refused: ['true', 0, null],
    message: BOOLEAN,
    inTsdoc: false,
  },
  {
    option: 'senderConstraint',
    default: "`'accept'`",
    bounds: "`'accept'` or `'require'`",
    resolved: ['accept', (_, { senderConstraint }) => senderConstraint],
    // 'require' needs the option dpop: test/unit/options/combinations.spec.ts.
    accepted: ['accept'],
    refused: ['refuse', true, null],
    message: /'accept' or 'require'/,
    inTsdoc: false,
  },
  {
    option: 'validate',
    default: 'returns the claims, frozen',
    bounds: 'a function `(claims, { issuer, header, request })`',
    resolved: [undefined, (_, { validate }) => validate],
    accepted: [noop],
    refused: [true, {}, null],
    message: FUNCTION,
    inTsdoc: false,
  },
];

const ofMetadata =
  (name: keyof ResolvedIssuer['metadata']) =>
  (_: ResolvedAuthOptions, { metadata }: ResolvedIssuer): unknown =>
    metadata[name];

const metadataOptions: readonly OptionRow[] = [
  {
    option: 'metadata.automaticRefreshInterval',
    default: "`'10m'`",
    bounds: "`'1s'` to `'24h'`",
    resolved: [600_000, ofMetadata('automaticRefreshInterval')],
    accepted: ['1s', 1000, '24h', 86_400_000],
    refused: [999, '999ms', '25h', 86_400_001, '60', null],
    message: /milliseconds or a string with its unit, from 1s to 24h/,
  },
  {
    option: 'metadata.refreshInterval',
    default: "`'5s'`",
    bounds: "`'1s'` to `'1h'`",
    resolved: [5000, ofMetadata('refreshInterval')],
    accepted: ['1s', '1h'],
    refused: ['999ms', 3_600_001, Number.NaN],
    message: /milliseconds or a string with its unit, from 1s to 1h/,
  },
  {
    option: 'metadata.refreshBurst',
    default: '`5`',
    bounds: '1 to 100',
    resolved: [5, ofMetadata('refreshBurst')],
    accepted: [1, 100],
    refused: [0, 101, 1.5, '5'],
    message: /a whole number, from 1 to 100/,
  },
  {
    option: 'metadata.refreshWait',
    default: "`'10s'`",
    bounds: "0 to `'60s'`",
    resolved: [10_000, ofMetadata('refreshWait')],
    accepted: [0, '0s', '60s'],
    refused: [-1, '61s', 60_001],
    message: /milliseconds or a string with its unit, from 0s to 60s/,
  },
  {
    option: 'metadata.maxWaiting',
    default: '`10_000`',
    bounds: 'at least 1',
    resolved: [10_000, ofMetadata('maxWaiting')],
    accepted: [1, Number.MAX_SAFE_INTEGER],
    refused: [0, '10', Number.POSITIVE_INFINITY],
    message: /a whole number, at least 1/,
  },
  {
    option: 'metadata.timeout',
    default: "`'5s'`",
    bounds: "`'100ms'` to `'30s'`",
    resolved: [5000, ofMetadata('timeout')],
    accepted: [100, '30s'],
    refused: [99, '31s', Number.NaN, '60'],
    message: /milliseconds or a string with its unit, from 100ms to 30s/,
  },
  {
    option: 'metadata.lastKnownGoodLifetime',
    default: "`'24h'`",
    bounds: 'at least 0',
    resolved: [86_400_000, ofMetadata('lastKnownGoodLifetime')],
    accepted: [0, '0s', '30d'],
    refused: [-1, 'a day', '60'],
    message: /milliseconds or a string with its unit, at least 0s/,
  },
  {
    option: 'metadata.refreshOnKeyNotFound',
    default: '`true`',
    bounds: '`true` or `false`',
    resolved: [true, ofMetadata('refreshOnKeyNotFound')],
    accepted: [true, false],
    refused: ['false', 0, null],
    message: BOOLEAN,
    inTsdoc: false,
  },
  {
    option: 'metadata.startup',
    default: "`'wait'`",
    bounds: "`'wait'`, `'require'` or `'lazy'`",
    resolved: ['wait', ofMetadata('startup')],
    accepted: ['wait', 'require', 'lazy'],
    refused: ['eager', true, null],
    message: /'wait', 'require' or 'lazy'/,
    inTsdoc: false,
  },
  {
    option: 'metadata.requireHttps',
    default: '`true`',
    bounds: '`true` or `false`',
    resolved: [true, ofMetadata('requireHttps')],
    accepted: [true, false],
    refused: ['false', 0, null],
    message: BOOLEAN,
    inTsdoc: false,
  },
  {
    option: 'metadata.maxResponseSize',
    default: '`524_288`',
    bounds: 'at least 1024',
    resolved: [524_288, ofMetadata('maxResponseSize')],
    accepted: [1024],
    refused: [1023, '1mb'],
    message: /a whole number, at least 1024/,
  },
  {
    option: 'metadata.fetch',
    default: '`globalThis.fetch`',
    bounds: 'a function of an address and an init, like `fetch`',
    accepted: [fetch],
    refused: [{}, null],
    message: FUNCTION,
    inTsdoc: false,
  },
  {
    option: 'metadata.store',
    default: 'none',
    bounds: 'a `MetadataStore`: an object with `load` and `save`',
    resolved: [undefined, ofMetadata('store')],
    accepted: [{ load: noop, save: noop }],
    refused: [{}, { load: noop }, null],
    message: /a MetadataStore: an object with load and save/,
    inTsdoc: false,
  },
];

/**
 * The table of options: a new option has a row here, a heading in docs/options.md and a docstring; `options.spec.ts`
 * compares the three with each other and with what the library does.
 */
export const OPTIONS: readonly OptionRow[] = [...moduleOptions, ...issuerOptions, ...metadataOptions];

/** Options that have a test of their own: their form depends on other options, or is nothing a table can hold. */
export const ELSEWHERE = ['issuers', 'metadata', 'metadataAddress', 'jwksUri', 'scopes', 'roles', 'dpop'];
