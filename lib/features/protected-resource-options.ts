/** What clients read about this API before they have a token (RFC 9728). */
export interface ProtectedResourceOptions {
  /**
   * The resource identifier, published byte for byte: an https URL without query and fragment, http for localhost only.
   * Default: `publicUrl`.
   */
  resource?: string | undefined;
  /** Name of the API for users. Default none. */
  name?: string | undefined;
  /** Address of a page for developers. Default none. */
  documentation?: string | undefined;
  /** Address of a page on how clients may use the data. Default none. */
  policy?: string | undefined;
  /** Address of the terms of service. Default none. */
  termsOfService?: string | undefined;
  /**
   * Scopes that clients may ask for; an empty list publishes none. Default: those of all `@Authorized`, without
   * `offline_access`.
   */
  scopesSupported?: readonly string[] | undefined;
  /**
   * Issuers where clients get tokens. Default: `issuer` of each issuer; required where one holds `{tenantid}`, which is no
   * address.
   */
  authorizationServers?: readonly string[] | undefined;
  /** How long caches may keep the document, as a string with its unit. Default `'1h'`, `'0s'` to `'1d'`. */
  maxAge?: string | undefined;
  /** Sets `request.auth` for transports of the Model Context Protocol. Default `false`. */
  mcp?: boolean | undefined;
}

/** {@link ProtectedResourceOptions} after validation. */
export interface ResolvedProtectedResource extends Omit<ProtectedResourceOptions, 'maxAge' | 'mcp'> {
  /** In seconds. */
  readonly maxAge: number;
  readonly mcp: boolean;
}
