import { inspect } from 'node:util';
import type { BaseIssue } from 'valibot';
import type { ConfigurationProblem } from '../errors/configuration.error.js';

const MISPLACED = 'beside useFactory, useClass or useExisting in forRootAsync, not in what they return';

/** What a schema found wrong, as problems of the options. */
export function problemsOf(
  issues: readonly BaseIssue<unknown>[] | undefined,
): readonly ConfigurationProblem[] {
  return (issues ?? []).map(describe);
}

function describe(issue: BaseIssue<unknown>): ConfigurationProblem {
  const option = pathOf(issue);
  const last = issue.path?.at(-1);
  const value = last && 'value' in last ? last.value : issue.input;
  const isUnknown = issue.kind === 'schema' && issue.type === 'strict_object' && issue.expected === 'never';
  if (!isUnknown) return problem(option, value, allowedBy(issue));
  const isExtra = option === 'isGlobal' || option === 'secureByDefault';
  return problem(option, value, isExtra ? MISPLACED : 'no option of this name');
}

function allowedBy(issue: BaseIssue<unknown>): string {
  if (issue.type !== 'strict_object') return issue.message;
  if (!issue.expected?.startsWith('"')) return 'an object';
  return MISSING[String(issue.path?.at(-1)?.key)] ?? 'required';
}

const MISSING: Readonly<Record<string, string>> = {
  issuer: 'required: the https URL that the metadata names as issuer',
  audience: 'required: a string, a list of strings, or null to switch the check off on purpose',
  preset: 'required: the proxy, or { name, decode }',
  trustedProxies: "required: a list of addresses or networks, such as '10.0.0.0/8', or a function",
};

function pathOf(issue: BaseIssue<unknown>): string {
  const keys = issue.path?.map(({ key }) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)) ?? [];
  return keys.join('').replace(/^\./, '') || 'options';
}

/** One thing wrong with an option. @param allowed ends the sentence "allowed: …" */
export function problem(option: string, given: unknown, allowed: string): ConfigurationProblem {
  return { option, given: shorten(given), allowed };
}

/** A value as it may stand in a message: one line, short. */
function shorten(value: unknown): string {
  const text = inspect(value, { depth: 1, breakLength: Number.POSITIVE_INFINITY, maxStringLength: 60 });
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
