import type { IssuerOptions } from '../auth.options.js';
import { segmentOf } from './preset-values.js';

/** What {@link cognito} takes. */
export interface CognitoPresetOptions {
  /** Region of the pool, `eu-central-1`. */
  region: string;
  /** `eu-central-1_AbCdEf123`. */
  userPoolId: string;
  /** The app clients whose access tokens are accepted; at least one. */
  clientIds: readonly string[];
}

/**
 * Amazon Cognito user pools: access tokens carry no `aud`, so the audience check is replaced by `client_id`, which must
 * be one of `clientIds`, and `token_use`, which must be `access`. `cognito:groups` are read as roles.
 * A pool with a resource server bound to the request (RFC 8707) does write `aud`: then set `audience` as well.
 *
 * @throws {AuthConfigurationError} when `region` or `userPoolId` is not of the form that Cognito uses
 */
export function cognito({ region, userPoolId, clientIds }: CognitoPresetOptions): IssuerOptions {
  const host = `cognito-idp.${segmentOf('cognito', 'region', region)}.amazonaws.com`;
  return {
    issuer: `https://${host}/${segmentOf('cognito', 'userPoolId', userPoolId)}`,
    audience: null,
    requiredClaims: { client_id: clientIds, token_use: ['access'] },
    algorithms: ['RS256'],
    roles: ['cognito:groups'],
  };
}
