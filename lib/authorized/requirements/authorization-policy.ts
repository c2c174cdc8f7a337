import type { ExecutionContext, Type } from '@nestjs/common';

/** A rule of the application, as an injectable of any scope: `@Authorized({ policy: OwnsOrder })`. */
export interface AuthorizationPolicy<User = unknown> {
  /** Exactly `true` lets the request pass; a thrown error passes through. */
  authorize(user: User, context: ExecutionContext): boolean | Promise<boolean>;
}

/** The same as a plain function. Taken off a method, so that it may name the type of its user. */
export type PolicyFunction = AuthorizationPolicy['authorize'];

/** What `policy` of `@Authorized` takes. */
export type Policy = PolicyFunction | Type<AuthorizationPolicy>;

/** Whether a policy is a class for the container to instantiate. */
export function isPolicyClass(policy: Policy): policy is Type<AuthorizationPolicy> {
  // The prototype of a class is not writable, that of a function is (ECMA-262 §15.7.14): methods may stand on instances.
  return (
    typeof policy.prototype?.authorize === 'function' ||
    Object.getOwnPropertyDescriptor(policy, 'prototype')?.writable === false
  );
}
