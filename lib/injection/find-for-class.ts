import type { InjectionToken } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { AuthConfigurationError } from '../errors/configuration.error.js';
import { findProvider, type NestModule, type NestProvider } from './find-provider.js';

type Class = abstract new (...args: never[]) => unknown;

/**
 * The provider that Nest injects for a token into a class, wherever the class stands.
 *
 * @throws {AuthConfigurationError} when no module of the class has one, or several modules have different ones: a call
 * names its class and not the module of its instance
 */
export function findForClass(
  modules: ModulesContainer,
  consumer: Class,
  token: InjectionToken,
): NestProvider {
  const hosts = hostsOf(consumer, [...modules.values()]);
  const found = hosts.map((module) => findProvider(module, token));
  const [provider] = found;
  const name = typeof token === 'function' ? token.name : String(token);
  const places = hosts.map((module) => module.metatype.name).join(', ');
  if (!provider || found.includes(undefined)) {
    throw new AuthConfigurationError(
      `${consumer.name} needs ${name}, which its module (${places || 'none'}) cannot inject: add it to the providers of that module, or import a module that exports it`,
    );
  }
  if (new Set(found).size > 1) {
    throw new AuthConfigurationError(
      `${consumer.name} stands in several modules (${places}), which inject different providers of ${name}: a request does not say which module it is for. Provide it in one shared module, or give each module a controller class of its own`,
    );
  }
  return provider;
}

/** The modules that list the class; those that provide an instance of it by a factory or a value only where none does. */
function hostsOf(consumer: Class, modules: readonly NestModule[]): readonly NestModule[] {
  const listing = modules.filter((module) => providersIn(module).some((each) => isClassOf(each, consumer)));
  if (listing.length > 0) return listing;
  return modules.filter((module) => providersIn(module).some((each) => isInstanceOf(each, consumer)));
}

function providersIn({ controllers, providers }: NestModule): readonly NestProvider[] {
  return [...controllers.values(), ...providers.values()];
}

/** A call names the class that its prototype names: a decorator may have replaced the one that is registered. */
function isClassOf({ metatype, isNotMetatype }: NestProvider, consumer: Class): boolean {
  return metatype === consumer || (!isNotMetatype && names(metatype?.prototype, consumer));
}

function isInstanceOf({ instance, isNotMetatype }: NestProvider, consumer: Class): boolean {
  return isNotMetatype && isObject(instance) && names(Object.getPrototypeOf(instance), consumer);
}

function names(prototype: unknown, consumer: Class): boolean {
  return isObject(prototype) && Reflect.get(prototype, 'constructor') === consumer;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
