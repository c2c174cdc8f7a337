import { Module } from '@nestjs/common';
import { AuthModule, MetadataProvider } from 'nestjs-resilient-auth';
import { createApp, GreetingModule, type StartService } from './library.js';

export const start: StartService = async ({ issuer, audience }) => {
  const auth = AuthModule.forRoot({
    issuer,
    audience,
    metadata: { requireHttps: false },
    secureByDefault: true,
  });
  const app = await createApp(moduleWith(auth));
  let refreshes = 0;
  app.get(MetadataProvider).events$.subscribe(({ type }) => {
    if (type === 'refresh-started') refreshes += 1;
  });
  return { app, refreshes: () => refreshes };
};

function moduleWith(auth: ReturnType<typeof AuthModule.forRoot>) {
  @Module({ imports: [auth, GreetingModule] })
  class ProtectedModule {}
  return ProtectedModule;
}
