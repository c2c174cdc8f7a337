import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Module } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import { graphqlContext } from 'nestjs-resilient-auth/graphql';
import type { Feature } from '../feature.js';
import { OrdersModule } from '../orders/orders.module.js';
import { OrdersResolver } from './orders.resolver.js';

@Module({
  imports: [
    OrdersModule,
    GraphQLModule.forRoot<ApolloDriverConfig>({
      driver: ApolloDriver,
      autoSchemaFile: true,
      graphiql: false,
      // Apollo adds stack traces outside of production; they name files of the server.
      includeStacktraceInErrorResponses: false,
    }),
  ],
  providers: [OrdersResolver],
})
class OrdersGraphModule {}

export const graphql: Feature = {
  module: OrdersGraphModule,
  context: graphqlContext(),
  routes: [
    {
      method: 'POST',
      path: '/graphql',
      requires: 'scope orders:read for the query orders, orders:write for the mutation placeOrder',
      body: { query: '{ orders { id item } }' },
    },
  ],
};
