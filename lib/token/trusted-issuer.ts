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
  /** Seconds. */
  readonly clockTolerance: number;
  /** Seconds. */
  readonly maxTokenAge: number | undefined;
}

const TENANT_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const PLACEHOLDER = /\{tenantid\}/i;

/** Whether an issuer is a template for many tenants, as Entra ID publishes it. */
export function isIssuerTemplate(issuer: string): boolean {
  return PLACEHOLDER.test(issuer);
}

/** Fills a tenant into a template; other text comes back as it is. */
export function fillTenant(template: string, tenantId: string | undefined): string {
  return tenantId === undefined ? template : template.replace(PLACEHOLDER, () => tenantId);
}

/** Finds the issuer configured for an `iss`, in the same time for one issuer and for five hundred. */
export class IssuerDirectory<Issuer extends TrustedIssuer = TrustedIssuer> {
  readonly #exact = new Map<string, Issuer>();
  readonly #templates = new Map<string, Issuer>();
  /** The algorithms and token types that at least one issuer accepts. */
  readonly algorithms: ReadonlySet<string>;
  readonly tokenTypes: ReadonlySet<string | null>;

  constructor(issuers: readonly Issuer[]) {
    for (const issuer of issuers) {
      for (const value of issuer.tokenIssuers) {
        if (isIssuerTemplate(value)) this.#templates.set(fillTenant(value, '{tenantid}'), issuer);
        else this.#exact.set(value, issuer);
      }
    }
    this.algorithms = new Set(issuers.flatMap((issuer) => [...issuer.algorithms]));
    this.tokenTypes = new Set(issuers.flatMap((issuer) => [...issuer.tokenTypes]));
  }

  /** The issuer configured for this `iss`, exactly; a template matches only with the token's own `tid` filled in. */
  find(iss: unknown, tid: unknown): { issuer: Issuer; tenantId: string | undefined } | undefined {
    if (typeof iss !== 'string') return undefined;
    const exact = this.#exact.get(iss);
    if (exact)
      return { issuer: exact, tenantId: typeof tid === 'string' && TENANT_ID.test(tid) ? tid : undefined };
    if (typeof tid !== 'string' || !TENANT_ID.test(tid)) return undefined;
    const template = iss.replace(tid, '{tenantid}');
    const issuer = this.#templates.get(template);
    return issuer && fillTenant(template, tid) === iss ? { issuer, tenantId: tid } : undefined;
  }
}
