import type { ExecutionContext, Type } from '@nestjs/common';
import { ContextIdFactory, type ModuleRef } from '@nestjs/core';
import { isPolicyClass, type AuthorizationPolicy, type Policy } from './authorization-policy.js';

/** Asks one policy. Only `true` is a yes. */
export async function isAllowedBy(
  policy: Policy,
  user: unknown,
  context: ExecutionContext,
  moduleRef: ModuleRef,
): Promise<boolean> {
  const verdict: unknown = isPolicyClass(policy)
    ? await (await instanceOf(policy, context, moduleRef)).authorize(user, context)
    : await policy(user, context);
  return verdict === true;
}

/**
 * The policy as the controller's module provides it, else as any module does; one that nobody provides is created
 * with what the controller's module can inject.
 */
async function instanceOf(
  policy: Type<AuthorizationPolicy>,
  context: ExecutionContext,
  moduleRef: ModuleRef,
): Promise<AuthorizationPolicy> {
  const request: object = context.switchToHttp().getRequest();
  const contextId = ContextIdFactory.getByRequest(request);
  moduleRef.registerRequestByContextId(request, contextId);
  for (const strict of [true, false]) {
    try {
      return await moduleRef.resolve(policy, contextId, { strict });
    } catch (error) {
      if (!isUnknownElement(error)) throw error;
    }
  }
  return moduleRef.create(policy, contextId);
}

/** Nest does not export this exception. */
function isUnknownElement(error: unknown): boolean {
  return error instanceof Error && error.constructor.name === 'UnknownElementException';
}
