import { ApolloFederationDriver, type ApolloFederationDriverConfig } from '@nestjs/apollo';
import {
  Directive,
  Field,
  GraphQLModule,
  Int,
  ObjectType,
  Query,
  Resolver,
  ResolveReference,
} from '@nestjs/graphql';
import { Test } from '@nestjs/testing';
import { AuthModule, Authorized, CurrentUser } from 'nestjs-resilient-auth';
import { graphqlContext } from 'nestjs-resilient-auth/graphql';
import request from 'supertest';
import { describe, expect, it, onTestFinished } from 'vitest';
import { platforms } from '../support/apps/platforms.js';
import { startIssuer } from '../support/apps/start-api.js';

@ObjectType()
@Directive('@key(fields: "id")')
class Product {
  @Field(() => Int)
  id = 0;

  @Field(() => String)
  owner = '';
}

@Authorized()
@Resolver(() => Product)
class ProductsResolver {
  @Query(() => Product)
  product(@CurrentUser('sub') owner: string): Product {
    return { id: 1, owner };
  }

  @ResolveReference()
  resolveReference({ id }: { id: number }): Product {
    return { id, owner: 'reference' };
  }
}

const ENTITIES = {
  query: 'query ($of: [_Any!]!) { _entities(representations: $of) { ... on Product { id owner } } }',
  variables: { of: [{ __typename: 'Product', id: 7 }] },
};

describe.each(platforms)('a federated subgraph on $platform', ({ create }) => {
  it('[G5] rejects _entities without a token, and resolves them with one', async () => {
    const issuer = await startIssuer();
    const app = await create(
      Test.createTestingModule({
        imports: [
          AuthModule.forRoot({ ...issuer.options(), contexts: [graphqlContext()] }),
          GraphQLModule.forRoot<ApolloFederationDriverConfig>({
            driver: ApolloFederationDriver,
            autoSchemaFile: { federation: 2 },
            fieldResolverEnhancers: ['guards'],
            graphiql: false,
          }),
        ],
        providers: [ProductsResolver],
      }),
    );
    onTestFinished(() => app.close());
    const ask = (token?: string) => {
      const test = request(app.getHttpServer()).post('/graphql').send(ENTITIES);
      return token === undefined ? test : test.set('Authorization', `Bearer ${token}`);
    };
    const refused = await ask();
    expect(refused.body.data?._entities ?? [null]).toEqual([null]);
    expect(refused.body.errors[0].extensions).toMatchObject({
      code: 'UNAUTHENTICATED',
      errorCode: 'AUTH_TOKEN_MISSING',
    });
    const { body } = await ask(await issuer.sign({ sub: 'alice' }));
    expect(body).toEqual({ data: { _entities: [{ id: 7, owner: 'reference' }] } });
  });
});
