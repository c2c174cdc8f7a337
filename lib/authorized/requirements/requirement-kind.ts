import type { ExecutionContext } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import type { AuthenticatedToken } from '../../authentication/authenticated-token.js';
import type { AuthError } from '../../errors/auth.error.js';
import type { Clock } from '../../time/clock.js';
import type { AuthContext } from '../contexts/auth-context.js';

/** What a requirement is checked against: an accepted token in the call of a handler. */
export interface RequirementSubject {
  readonly token: AuthenticatedToken;
  readonly context: ExecutionContext;
  /** The transport of the call. */
  readonly auth: AuthContext;
  /** Of the handler's module. */
  readonly moduleRef: ModuleRef;
  readonly clock: Clock;
  /** For each scope those that imply it, by the option `scopeImplies`. */
  readonly impliedBy: ReadonlyMap<string, readonly string[]>;
  /** `clockTolerance` in seconds, by the issuer's `name`. */
  readonly clockTolerances: ReadonlyMap<string, number>;
}

/** A module option that a kind of requirement stands on. */
export type NeededOption = 'dpop' | 'mtls';

/** One requirement of one handler. */
export interface RequirementCheck {
  /** The option of `@Authorized` it comes from. */
  readonly name: string;
  /** What is required, as its kind combines it. */
  readonly required: unknown;
  /** The module option without which it can never be met; the boot fails when it is not named. */
  readonly needs?: NeededOption | undefined;
  /** A promise only where something has to be awaited. */
  isMet(subject: RequirementSubject): boolean | Promise<boolean>;
  /**
   * Returns the error to throw when the requirement is not met.
   *
   * @param checks all those of the handler: a challenge names everything that the operation needs
   */
  denial(checks: readonly RequirementCheck[]): AuthError;
}

/** One option of `@Authorized`, checked at decoration and at each call. */
export interface RequirementKind {
  /** Ends the sentence "@Authorized({ name }) takes …". */
  readonly takes: string;
  isValid(value: unknown): boolean;
  /** Returns the checks of a handler, from every value of the option that holds for it, nearest first. */
  checksFor(name: string, values: readonly unknown[]): readonly RequirementCheck[];
}

/** How a kind is written down. */
export interface KindDefinition<Given, Required> {
  /** Ends the sentence "@Authorized({ name }) takes …". */
  readonly takes: string;
  /** The module option without which the requirement can never be met. Default none. */
  readonly needs?: NeededOption | undefined;
  /** Refuses what is no value of the option, at decoration. */
  readonly validate: (value: unknown) => value is Given;
  /** Adds up the values on method, class and base classes; each result is checked by itself. */
  readonly combine: (given: readonly Given[]) => readonly Required[];
  readonly isMet: (required: Required, subject: RequirementSubject) => boolean | Promise<boolean>;
  /** Gets all checks of the handler beside its own requirement. */
  readonly denial: (required: Required, checks: readonly RequirementCheck[]) => AuthError;
}

/**
 * Makes a kind of requirement. To add one: a file in `kinds/` with the option's type and `requirementKind(…)`, and one
 * line each in `AuthorizedOptions` and `KINDS`, where a kind that is missing does not compile.
 */
export function requirementKind<Given, Required>({
  takes,
  needs,
  validate,
  combine,
  isMet,
  denial,
}: KindDefinition<Given, Required>): RequirementKind {
  return {
    takes,
    isValid: validate,
    checksFor: (name, values) =>
      combine(values.filter(validate)).map((required) => ({
        name,
        required,
        needs,
        isMet: (subject) => isMet(required, subject),
        denial: (checks) => denial(required, checks),
      })),
  };
}

/** A list of at least one non-empty string: one typing slip cannot go unseen. */
export function isWordList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every(isWord);
}

function isWord(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
