import { AuthConfigurationError } from '../errors/configuration.error.js';

/** The audience as every preset takes it: any one of these must stand in `aud`. */
export type PresetAudience = string | readonly string[];

const HOST = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?$/i;
const SEGMENT = /^[A-Za-z0-9][A-Za-z0-9._~-]*$/;
const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** A host name as the provider shows it: no scheme, no path. @throws {AuthConfigurationError} */
export function hostOf(preset: string, option: string, value: string): string {
  return checked(preset, option, value, HOST, 'a host name without scheme and path');
}

/** One segment of a path, such as a realm or a pool. @throws {AuthConfigurationError} */
export function segmentOf(preset: string, option: string, value: string): string {
  return checked(preset, option, value, SEGMENT, 'letters, digits and . _ ~ - only');
}

/** A GUID; providers publish no metadata that names a tenant by its domain. @throws {AuthConfigurationError} */
export function guidOf(preset: string, option: string, value: string): string {
  return checked(preset, option, value, GUID, 'a GUID, not a domain name').toLowerCase();
}

/** A base address, without its final slash. @throws {AuthConfigurationError} */
export function baseOf(preset: string, option: string, value: string): string {
  const isUrl = typeof value === 'string' && /^https?:\/\//.test(value) && URL.canParse(value);
  if (!isUrl || /[?#]/.test(value)) refuse(preset, option, 'a URL without query and fragment');
  return value.replace(/\/$/, '');
}

function checked(preset: string, option: string, value: string, pattern: RegExp, allowed: string): string {
  if (typeof value !== 'string' || !pattern.test(value)) refuse(preset, option, allowed);
  return value;
}

function refuse(preset: string, option: string, allowed: string): never {
  throw new AuthConfigurationError(`${preset}({ ${option} }) takes ${allowed}`);
}
