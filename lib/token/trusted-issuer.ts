/** What the rules for tokens of one configured issuer need: resolved, frozen. */
export interface TrustedIssuer {
  readonly name: string;
  /** As configured; may hold `{tenantid}`. */
  readonly issuer: string;
  readonly tokenIssuers: readonly string[];
  readonly admitsTenant: (tenantId: string) => boolean;
  /** `null`: the audience is not checked, on purpose. */
  readonly audiences: ReadonlySet<string> | null;
  readonly algorithms: ReadonlySet<string>;
  /** Normalized media types; `null` stands for an absent `typ`. */
  readonly tokenTypes: ReadonlySet<string | null>;
  readonly requiredClaims: readonly string[];
  /** Values accepted for some of them. */
  readonly claimValues: ReadonlyMap<string, ReadonlySet<string>>;
  /** Seconds. */
  readonly clockTolerance: number;
  /** Seconds. */
  readonly maxTokenAge: number | undefined;
  /** Whether ID tokens are accepted, with the checks of OIDC Core §3.1.3.7. */
  readonly acceptIdTokens: boolean;
}

const TENANT_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const PLACEHOLDER = /\{tenantid\}/gi;
/** The spelling templates are compared in. */
const CANONICAL = '{tenantid}';

/** Whether an issuer is a template for many tenants, as Entra ID publishes it. */
export function isIssuerTemplate(issuer: string): boolean {
  return issuer.search(PLACEHOLDER) !== -1;
}

/** Whether a value is the id of a tenant: a GUID. */
export function isTenantId(value: unknown): value is string {
  return typeof value === 'string' && TENANT_ID.test(value);
}

/** Fills a tenant into every placeholder of a template; other text is returned as it is. */
export function fillTenant(template: string, tenantId: string | undefined): string {
  return tenantId === undefined ? template : template.replaceAll(PLACEHOLDER, () => tenantId);
}

/** One spelling for all spellings of a template; other text is returned as it is. */
export function canonicalIssuer(issuer: string): string {
  return fillTenant(issuer, CANONICAL);
}

/** Finds the issuer configured for an `iss`, in the same time for one issuer and for five hundred. */
export class IssuerDirectory<Issuer extends TrustedIssuer = TrustedIssuer> {
  readonly #exact = new Map<string, Issuer>();
  readonly #templates = new Map<string, Issuer>();
  /** Every `iss` that is accepted, as configured. */
  readonly tokenIssuers: readonly string[];
  /** The algorithms and token types that at least one issuer accepts. */
  readonly algorithms: ReadonlySet<string>;
  readonly tokenTypes: ReadonlySet<string | null>;

  constructor(issuers: readonly Issuer[]) {
    for (const issuer of issuers) {
      for (const value of issuer.tokenIssuers) {
        if (isIssuerTemplate(value)) this.#templates.set(canonicalIssuer(value), issuer);
        else this.#exact.set(value, issuer);
      }
    }
    this.tokenIssuers = issuers.flatMap(({ tokenIssuers }) => tokenIssuers);
    this.algorithms = new Set(issuers.flatMap((issuer) => [...issuer.algorithms]));
    this.tokenTypes = new Set(issuers.flatMap((issuer) => [...issuer.tokenTypes]));
  }

  /** Whether some issuer is a template. */
  get hasTemplates(): boolean {
    return this.#templates.size > 0;
  }

  /** The issuer configured for this `iss`, exactly; a template matches only with the token's own `tid` filled in. */
  find(iss: unknown, tid: unknown): { issuer: Issuer; tenantId: string | undefined } | undefined {
    if (typeof iss !== 'string') return undefined;
    const exact = this.#exact.get(iss);
    if (exact) return { issuer: exact, tenantId: isTenantId(tid) ? tid : undefined };
    if (!isTenantId(tid)) return undefined;
    const template = iss.replaceAll(tid, CANONICAL);
    const issuer = this.#templates.get(template);
    return issuer && fillTenant(template, tid) === iss ? { issuer, tenantId: tid } : undefined;
  }
}
