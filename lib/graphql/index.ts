export { graphqlContext, type GraphqlContextOptions } from './graphql.context.js';
export {
  GraphqlAuthModule,
  type GraphqlWsConnection,
  type GraphqlWsHooks,
  SubscriptionAuthentication,
  type SubscriptionAuthenticationOptions,
} from './subscription-authentication.js';
