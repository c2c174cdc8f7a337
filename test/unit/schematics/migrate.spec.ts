import { describe, expect, it } from 'vitest';
import { migrate, migrateRewrite } from '../../../lib/schematics/migrate/migrate.js';
import { Workspace } from './workspace.js';

const STRATEGY = `import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { passportJwtSecret } from 'jwks-rsa';
import { ExtractJwt, Strategy } from 'passport-jwt';

@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy) {
  constructor() {
    super({
      secretOrKeyProvider: passportJwtSecret({
        cache: true,
        rateLimit: true,
        jwksRequestsPerMinute: 5,
        jwksUri: \`\${process.env.ISSUER}.well-known/jwks.json\`,
      }),
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      issuer: process.env.ISSUER,
      audience: 'https://api.example.com',
      algorithms: ['RS256'],
    });
  }

  validate(payload: unknown): unknown {
    return payload;
  }
}
`;
const MODULE = `import { Module } from '@nestjs/common';
import { PassportModule } from '@nestjs/passport';
import { JwtStrategy } from './jwt.strategy';
import { Users } from './users';

@Module({
  imports: [PassportModule],
  providers: [Users, JwtStrategy],
  exports: [JwtStrategy],
})
export class AuthModule {}
`;
const CONTROLLER = `import { Controller, Get, UseGuards } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';

@Controller('orders')
@UseGuards(AuthGuard('jwt'))
export class OrdersController {
  @UseGuards(AuthGuard("jwt"))
  @Get()
  list() {}
}
`;
const recipe: Readonly<Record<string, string>> = {
  'src/auth/jwt.strategy.ts': STRATEGY,
  'src/auth/auth.module.ts': MODULE,
  'src/orders/orders.controller.ts': CONTROLLER,
  'src/main.ts': "import { NestFactory } from '@nestjs/core';\n",
};
const report = async (files: Readonly<Record<string, string>>, rewrite: boolean) => {
  const workspace = new Workspace(files);
  const schematic = rewrite ? migrateRewrite : migrate;
  await workspace.run(schematic({ sourceRoot: 'src' }));
  return { workspace, log: workspace.messages.join('\n') };
};

describe('migrate', () => {
  it('[E7] reports each place of the recipe, and changes nothing', async () => {
    const { workspace, log } = await report(recipe, false);
    for (const place of [
      'auth/jwt.strategy.ts:6',
      'auth/jwt.strategy.ts:10',
      'orders/orders.controller.ts:5',
      'orders/orders.controller.ts:7',
    ])
      expect(log).toContain(`src/${place}  `);
    expect(log).toContain('the schematic migrate-rewrite');
    expect(workspace.files).toEqual(new Workspace(recipe).files);
  });

  it('[E7] replaces module, guards, imports and strategy when the recipe is exact and migrate-rewrite runs', async () => {
    const { workspace } = await report(recipe, true);
    expect(workspace.has('src/auth/jwt.strategy.ts')).toBe(false);
    expect(workspace.text('src/auth/auth.module.ts')).toBe(`import { Module } from '@nestjs/common';
import { PassportModule } from '@nestjs/passport';
import { Users } from './users';
import { ResilientAuthModule } from 'nestjs-resilient-auth';

@Module({
  imports: [
    ResilientAuthModule.forRootAsync({ useFactory: () => ({ issuer: process.env.ISSUER ?? '', audience: 'https://api.example.com', jwksUri: \`\${process.env.ISSUER}.well-known/jwks.json\`, algorithms: ['RS256'] }) }),
    PassportModule,
  ],
  providers: [Users],
  exports: [],
})
export class AuthModule {}
`);
    expect(workspace.text('src/orders/orders.controller.ts'))
      .toBe(`import { Controller, Get } from '@nestjs/common';
import { Authorized } from 'nestjs-resilient-auth';

@Controller('orders')
@Authorized()
export class OrdersController {
  @Authorized()
  @Get()
  list() {}
}
`);
  });

  it('[E7] keeps UseGuards where another guard needs it', async () => {
    const controller = CONTROLLER.replace('  @Get()', '  @UseGuards(Throttler)\n  @Get()');
    const { workspace } = await report({ ...recipe, 'src/orders/orders.controller.ts': controller }, true);
    expect(workspace.text('src/orders/orders.controller.ts')).toContain(
      "import { Controller, Get, UseGuards } from '@nestjs/common';",
    );
  });

  it.each([
    [
      'maps the payload in validate',
      'src/auth/jwt.strategy.ts',
      STRATEGY.replace('return payload', 'return { id: payload }'),
      /validate does more/,
    ],
    [
      'injects something',
      'src/auth/jwt.strategy.ts',
      STRATEGY.replace('constructor()', 'constructor(config: Config)'),
      /constructor does more/,
    ],
    [
      'has a method of its own',
      'src/auth/jwt.strategy.ts',
      STRATEGY.replace('  validate', '  other() {}\n\n  validate'),
      /constructor does more/,
    ],
    [
      'has no audience',
      'src/auth/jwt.strategy.ts',
      STRATEGY.replace(/\s+audience: .*/, ''),
      /issuer and audience are not both there/,
    ],
    [
      'reads its issuer elsewhere',
      'src/auth/jwt.strategy.ts',
      STRATEGY.replace('process.env.ISSUER,', 'config.issuer,'),
      /issuer and audience are not both there/,
    ],
    [
      'reads its keys elsewhere',
      'src/auth/jwt.strategy.ts',
      STRATEGY.replace('passportJwtSecret({', 'other({'),
      /do not come from passportJwtSecret/,
    ],
    [
      'reads a cookie',
      'src/auth/jwt.strategy.ts',
      STRATEGY.replace('ExtractJwt.fromAuthHeaderAsBearerToken()', 'fromCookie'),
      /Authorization header/,
    ],
    [
      'ignores the expiry',
      'src/auth/jwt.strategy.ts',
      STRATEGY.replace("algorithms: ['RS256']", 'ignoreExpiration: true'),
      /ignores the expiry/,
    ],
    [
      'has another option',
      'src/auth/jwt.strategy.ts',
      STRATEGY.replace("algorithms: ['RS256']", 'passReqToCallback: true'),
      /option passReqToCallback/,
    ],
    [
      'stands beside other code',
      'src/auth/jwt.strategy.ts',
      `${STRATEGY}export const x = 1;\n`,
      /more than the strategy/,
    ],
    [
      'is injected by another class',
      'src/other.ts',
      "import { JwtStrategy } from './auth/jwt.strategy';\nnew JwtStrategy();\n",
      /not named by exactly one other file/,
    ],
    [
      'is used by a guard of its own',
      'src/guard.ts',
      "import { AuthGuard } from '@nestjs/passport';\nexport class JwtGuard extends AuthGuard('jwt') {}\n",
      /src\/guard\.ts:2 uses AuthGuard\('jwt'\) otherwise/,
    ],
    [
      'stands in a list of guards',
      'src/list.ts',
      "import { AuthGuard } from '@nestjs/passport';\n@UseGuards(AuthGuard(['jwt', 'key']))\nclass A {}\n",
      /src\/list\.ts:2 uses/,
    ],
    ['has a twin', 'src/twin.ts', STRATEGY, /there are 2 strategies/],
    [
      'is half migrated',
      'src/half.ts',
      "import { Authorized } from 'nestjs-resilient-auth';\n",
      /in use already/,
    ],
  ])('[E7] changes nothing and says why when the strategy %s', async (_, path, text, message) => {
    const files = { ...recipe, [path]: text };
    const { workspace, log } = await report(files, true);
    expect(log).toMatch(message);
    expect(log).toContain('Not rewritten by itself');
    expect(workspace.files).toEqual(new Workspace(files).files);
  });

  it('[E7] reports that there is nothing to migrate when the recipe is not in use', async () => {
    const { log } = await report({ 'src/main.ts': '' }, true);
    expect(log).toBe('Nothing in src uses passport-jwt with jwks-rsa');
  });
});
