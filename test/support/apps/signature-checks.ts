import crypto, { type verify } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { vi, type MockInstance } from 'vitest';

/**
 * Counts the signature checks of node:crypto, and lets them happen. Put back by `mockRestore` and another
 * {@link shareSpies}; nothing is mocked, so that test files may share their modules.
 */
export function watchSignatureChecks(): MockInstance<typeof verify> {
  const checks = vi.spyOn(crypto, 'verify');
  shareSpies();
  return checks;
}

/** Named imports of a built-in module see what has been put on it only after a synchronization. */
export function shareSpies(): void {
  syncBuiltinESMExports();
}
