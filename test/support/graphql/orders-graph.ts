import { Inject, Injectable, Scope } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import {
  Args,
  Field,
  Int,
  ObjectType,
  Parent,
  Query,
  ResolveField,
  Resolver,
  Subscription,
} from '@nestjs/graphql';
import {
  AllowAnonymous,
  Authorized,
  CurrentToken,
  CurrentUser,
  type AuthenticatedToken,
  type AuthorizationPolicy,
  type Claims,
} from 'nestjs-resilient-auth';

@ObjectType()
export class Order {
  @Field(() => Int)
  id = 0;

  @Field(() => String, { nullable: true })
  secret?: string;
}

@Injectable({ scope: Scope.REQUEST })
export class HasTenant implements AuthorizationPolicy<Claims> {
  constructor(@Inject(REQUEST) private readonly context: { req: { headers: Record<string, string> } }) {}

  authorize(user: Claims): boolean {
    return user['tenant'] === this.context.req.headers['x-tenant'];
  }
}

/** Events that a test sends to the subscribers of `updates`. */
export class Updates {
  readonly #subscribers = new Set<(value: number) => void>();

  get size(): number {
    return this.#subscribers.size;
  }

  publish(value: number): void {
    for (const subscriber of this.#subscribers) subscriber(value);
  }

  subscribe(): AsyncGenerator<{ updates: number }, void> {
    const waiting: number[] = [];
    let wake: (() => void) | undefined;
    let isOver = false;
    const receive = (value: number): void => {
      waiting.push(value);
      wake?.();
    };
    this.#subscribers.add(receive);
    const stop = (): void => {
      isOver = true;
      this.#subscribers.delete(receive);
      wake?.();
    };
    const next = async (): Promise<IteratorResult<{ updates: number }, void>> => {
      const value = waiting.shift();
      if (value !== undefined) return { done: false, value: { updates: value } };
      if (isOver) return { done: true, value: undefined };
      await new Promise<void>((resolve) => (wake = resolve));
      return next();
    };
    const finish = async (): Promise<IteratorResult<{ updates: number }, void>> => {
      stop();
      return { done: true, value: undefined };
    };
    const generator: AsyncGenerator<{ updates: number }, void> = {
      next,
      return: finish,
      throw: finish,
      [Symbol.asyncIterator]: () => generator,
      [Symbol.asyncDispose]: async () => void (await finish()),
    };
    return generator;
  }
}

@Authorized()
@Resolver(() => Order)
export class OrdersResolver {
  constructor(@Inject(Updates) private readonly updatesOf: Updates) {}

  @Query(() => String, { nullable: true })
  me(@CurrentUser('sub') subject: string, @CurrentToken() token: AuthenticatedToken): string {
    return `${subject}@${token.claims.sub}`;
  }

  @Authorized({ scopes: ['orders:write'] })
  @Query(() => String, { nullable: true })
  writable(@CurrentUser('sub') subject: string): string {
    return subject;
  }

  @Authorized({ roles: ['admin'] })
  @Query(() => String, { nullable: true })
  admin(@CurrentUser('sub') subject: string): string {
    return subject;
  }

  @Authorized({ policy: HasTenant })
  @Query(() => String, { nullable: true })
  tenant(@CurrentUser('tenant') tenant: string): string {
    return tenant;
  }

  @AllowAnonymous()
  @Query(() => String, { nullable: true })
  open(@CurrentUser() user: unknown, @CurrentToken() token: unknown): string {
    return JSON.stringify({ user: user ?? null, token: token ?? null });
  }

  @Query(() => [Order])
  orders(@Args('count', { type: () => Int }) count: number): Order[] {
    return Array.from({ length: count }, (_, id) => ({ id }));
  }

  @Authorized({ scopes: ['orders:secret'] })
  @ResolveField(() => String, { nullable: true })
  secret(@Parent() order: Order, @CurrentUser('sub') subject: string): string {
    return `${subject} sees ${order.id}`;
  }

  @Subscription(() => Int)
  updates(): AsyncGenerator<unknown, void> {
    return this.updatesOf.subscribe();
  }
}
