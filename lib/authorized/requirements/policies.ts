import type { Type } from '@nestjs/common';
import { ContextIdFactory, ModuleRef, ModulesContainer } from '@nestjs/core';
import { AuthConfigurationError } from '../../errors/configuration.error.js';
import { findForClass } from '../../injection/find-for-class.js';
import type { NestProvider } from '../../injection/find-provider.js';
import type { RequirementSubject } from './requirement-kind.js';
import { isPolicyClass, type AuthorizationPolicy, type Policy } from './authorization-policy.js';
import type { Class } from '../marks/marks.js';

type PolicyClass = Type<AuthorizationPolicy>;

/** Of each application, what its controllers inject. Modules do not change once an application runs. */
const providersOf = new WeakMap<ModulesContainer, WeakMap<Class, Map<PolicyClass, NestProvider>>>();

/** Calls one policy. Only `true` is a yes. */
export async function isAllowedBy(policy: Policy, subject: RequirementSubject): Promise<boolean> {
  const { user } = subject.token;
  const { context } = subject;
  const verdict: unknown = isPolicyClass(policy)
    ? await (await instanceOf(policy, subject)).authorize(user, context)
    : await policy(user, context);
  return verdict === true;
}

/**
 * The provider of a policy for a controller: of its own module, or exported to it, as with any other dependency.
 *
 * @throws {AuthConfigurationError} when there is none, or not only one
 */
export function providerOf(policy: PolicyClass, controller: Class, modules: ModulesContainer): NestProvider {
  const byController = remembered(
    providersOf,
    modules,
    () => new WeakMap<Class, Map<PolicyClass, NestProvider>>(),
  );
  const byPolicy = remembered(byController, controller, () => new Map<PolicyClass, NestProvider>());
  const known = byPolicy.get(policy);
  if (known) return known;
  const provider = findForClass(modules, controller, policy);
  byPolicy.set(policy, provider);
  return provider;
}

async function instanceOf(
  policy: PolicyClass,
  { auth, context, moduleRef }: RequirementSubject,
): Promise<AuthorizationPolicy> {
  const modules = moduleRef.get(ModulesContainer, { strict: false });
  const provider = providerOf(policy, context.getClass(), modules);
  const isShared = provider.isDependencyTreeStatic() && !provider.isTransient;
  const instance: unknown = isShared
    ? provider.instance
    : await resolve(policy, provider, auth.requestOf(context));
  if (isPolicy(instance)) return instance;
  throw new AuthConfigurationError(`The provider of the policy ${policy.name} has no method authorize`);
}

/** Of a scope of its own: by the module that provides it, for this request. */
async function resolve(policy: PolicyClass, { host }: NestProvider, request: object): Promise<unknown> {
  const contextId = ContextIdFactory.getByRequest(request);
  const owner: unknown = host?.providers.get(ModuleRef)?.instance;
  if (!(owner instanceof ModuleRef)) throw new AuthConfigurationError(`${policy.name} stands in no module`);
  owner.registerRequestByContextId(request, contextId);
  return owner.resolve(policy, contextId, { strict: true });
}

function isPolicy(instance: unknown): instance is AuthorizationPolicy {
  return (
    typeof instance === 'object' &&
    instance !== null &&
    'authorize' in instance &&
    typeof instance.authorize === 'function'
  );
}

function remembered<Key extends WeakKey, Value>(
  map: WeakMap<Key, Value>,
  key: Key,
  create: () => Value,
): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const created = create();
  map.set(key, created);
  return created;
}
