import type * as OidcProvider from 'oidc-provider';

/**
 * oidc-provider prints, on import, that it wants Node 22. All that this sample uses works on 20 too, and a first start
 * should not begin with a warning; so that one line is held back, and only that one.
 */
export async function loadOidcProvider(): Promise<typeof OidcProvider> {
  const warn = console.warn;
  console.warn = (...words: unknown[]) => {
    if (!String(words[0]).includes('oidc-provider WARNING: Unsupported runtime')) {
      warn(...words);
    }
  };
  try {
    return await import('oidc-provider');
  } finally {
    console.warn = warn;
  }
}
