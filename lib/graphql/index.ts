export { graphqlContext, type GraphqlContextOptions } from './graphql.context.js';
export {
  GraphqlAuthModule,
  SubscriptionAuthentication,
  type SubscriptionAuthenticationOptions,
} from './subscription-authentication.js';
