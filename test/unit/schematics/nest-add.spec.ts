import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as presets from 'nestjs-resilient-auth/presets';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { nestAdd, type NestAddOptions } from '../../../lib/schematics/nest-add/nest-add.js';
import { PRESETS } from '../../../lib/schematics/nest-add/provider-presets.js';
import { freshApplication, Workspace } from './workspace.js';

const add = (files: Readonly<Record<string, string>>, options: NestAddOptions = {}): Promise<Workspace> =>
  new Workspace(files).run(nestAdd({ sourceRoot: 'src', ...options }));
const withModule = (text: string): Readonly<Record<string, string>> => ({
  ...freshApplication,
  'src/app.module.ts': text,
});

describe('nest add', () => {
  it('[E7] returns a root module with AuthModule, its options from the environment, and the peers', async () => {
    const workspace = await add(freshApplication, { audience: 'orders' });
    expect(workspace.text('src/app.module.ts')).toBe(`import { Module } from '@nestjs/common';
import { AppController } from './app.controller';
import { AuthModule } from 'nestjs-resilient-auth';
import { authOptions } from './auth.options';

@Module({
  imports: [
    AuthModule.forRootAsync({ useFactory: authOptions, secureByDefault: true }),
  ],
  controllers: [AppController],
})
export class AppModule {}
`);
    expect(workspace.text('src/auth.options.ts')).toContain("issuer: required('AUTH_ISSUER')");
    expect(workspace.text('.env.example')).toMatch(/\nAUTH_ISSUER=https:\S+\nAUTH_AUDIENCE=orders\n$/);
    expect(JSON.parse(workspace.text('package.json')).dependencies).toEqual({
      '@nestjs/common': '^12.0.1',
      '@nestjs/core': '^12.0.1',
      '@nestjs/passport': '^12.0.0',
      passport: '^0.7.0',
    });
    expect(workspace.tasks).toEqual([
      {
        name: 'node-package',
        options: expect.objectContaining({ command: 'install', packageManager: 'npm' }),
      },
    ]);
  });

  it('[E7] returns the same files when it runs again', async () => {
    const workspace = await add(freshApplication, { health: true });
    const before = workspace.files;
    await workspace.run(nestAdd({ sourceRoot: 'src', preset: 'keycloak', health: true }));
    expect(workspace.files).toEqual(before);
    expect(workspace.messages.join('\n')).toContain('src/app.module.ts has AuthModule already');
  });

  it('[E7] adds the readiness probe to an application that has AuthModule already', async () => {
    const workspace = await add(freshApplication);
    expect(workspace.has('src/auth-health.module.ts')).toBe(false);
    await workspace.run(nestAdd({ sourceRoot: 'src', health: true }));
    expect(workspace.text('src/app.module.ts')).toContain(
      '  imports: [\n    AuthHealthModule,\n    AuthModule.',
    );
    expect(JSON.parse(workspace.text('package.json')).dependencies).toHaveProperty(
      '@nestjs/terminus',
      '^12.0.0',
    );
  });

  it('[E7] leaves routes open when secureByDefault is false, and installs nothing when skipInstall is true', async () => {
    const workspace = await add(freshApplication, { secureByDefault: false, skipInstall: true });
    expect(workspace.text('src/app.module.ts')).toContain('forRootAsync({ useFactory: authOptions })');
    expect(workspace.tasks).toEqual([]);
  });

  it.each([
    ['^11.1.6', undefined, '^11.0.2'],
    ['11.0.0', undefined, '^11.0.2'],
    ['^12.5.1', undefined, '^12.0.0'],
    ['workspace:*', '11.1.6', '^11.0.2'],
    ['latest', '12.5.1', '^12.0.0'],
  ])(
    '[E7] adds the peers of the Nest that is there: %s, installed %s',
    async (wanted, installed, expected) => {
      const workspace = await add({
        ...freshApplication,
        'package.json': JSON.stringify({ dependencies: { '@nestjs/core': wanted } }),
        ...(installed && {
          'node_modules/@nestjs/core/package.json': JSON.stringify({ version: installed }),
        }),
      });
      expect(JSON.parse(workspace.text('package.json')).dependencies['@nestjs/passport']).toBe(expected);
    },
  );

  it.each([
    ['pnpm-lock.yaml', 'pnpm'],
    ['yarn.lock', 'yarn'],
    ['bun.lock', 'bun'],
    ['package-lock.json', 'npm'],
  ])('[E7] returns a task for the package manager of %s', async (lock, packageManager) => {
    const workspace = await add({ ...freshApplication, [lock]: '{}' });
    expect(workspace.tasks).toEqual([
      expect.objectContaining({ options: expect.objectContaining({ packageManager }) }),
    ]);
  });

  it('[E7] changes only what is missing in package.json and .env.example, in their own form', async () => {
    const workspace = await add({
      ...freshApplication,
      'package.json':
        '{\n\t"dependencies": {\n\t\t"passport": "^0.6.0",\n\t\t"@nestjs/core": "^12.0.0"\n\t}\n}',
      '.env.example': 'PORT=3000\n# AUTH_AUDIENCE=x',
    });
    expect(workspace.text('package.json')).toBe(
      '{\n\t"dependencies": {\n\t\t"@nestjs/core": "^12.0.0",\n\t\t"@nestjs/passport": "^12.0.0",\n\t\t"passport": "^0.6.0"\n\t}\n}',
    );
    expect(workspace.text('.env.example')).toMatch(
      /^PORT=3000\n# AUTH_AUDIENCE=x\n\n# Whose[^\n]+\nAUTH_ISSUER=\S+\n$/,
    );
  });
});

describe('the root module', () => {
  const EXPRESSION = 'AuthModule.forRootAsync({ useFactory: authOptions, secureByDefault: true })';

  it.each([
    [
      'has no imports',
      '@Module({\n  controllers: [],\n})',
      `@Module({\n  imports: [\n    ${EXPRESSION},\n  ],\n  controllers: [],\n})`,
    ],
    ['is empty', '@Module({})', `@Module({\n  imports: [\n    ${EXPRESSION},\n  ],\n})`],
    [
      'has imports on one line',
      '@Module({\n  imports: [A, B.forRoot({ a: 1 })],\n})',
      `@Module({\n  imports: [\n    ${EXPRESSION},\n    A,\n    B.forRoot({ a: 1 }),\n  ],\n})`,
    ],
    [
      'has imports on lines of their own',
      '@Module({\n    imports: [\n        A, // first\n        ...others,\n    ],\n})',
      `@Module({\n    imports: [\n        ${EXPRESSION},\n        A, // first\n        ...others,\n    ],\n})`,
    ],
    [
      'has a comment among its imports',
      '@Module({\n  imports: [A /* why */, B],\n})',
      `@Module({\n  imports: [${EXPRESSION}, A /* why */, B],\n})`,
    ],
  ])('[E7] returns AuthModule in front of its imports when it %s', async (_, decorator, expected) => {
    const workspace = await add(
      withModule(`import { Module } from '@nestjs/common';\n\n${decorator}\nexport class AppModule {}\n`),
    );
    expect(workspace.text('src/app.module.ts')).toContain(`${expected}\nexport class AppModule {}\n`);
  });

  it('[E7] keeps double quotes, missing semicolons and CRLF', async () => {
    const text =
      'import { Module } from "@nestjs/common"\r\n\r\n@Module({\r\n  imports: [],\r\n})\r\nexport class AppModule {}\r\n';
    const workspace = await add(withModule(text), { health: true });
    for (const file of ['src/app.module.ts', 'src/auth.options.ts', 'src/auth-health.module.ts']) {
      expect(workspace.text(file)).not.toMatch(/[^\r]\n|;\r\n|'/);
    }
    expect(workspace.text('src/app.module.ts')).toContain('import { authOptions } from "./auth.options"\r\n');
  });

  it('[E7] writes .js where the imports of the application do, or where it is ESM', async () => {
    const esm = await add(
      withModule(freshApplication['src/app.module.ts']?.replace('controller', 'controller.js') ?? ''),
    );
    expect(esm.text('src/app.module.ts')).toContain("from './auth.options.js'");
    const alone = await add({
      ...withModule("import { Module } from '@nestjs/common';\n@Module({})\nexport class AppModule {}\n"),
      'package.json': JSON.stringify({ type: 'module', dependencies: {} }),
    });
    expect(alone.text('src/app.module.ts')).toContain("from './auth.options.js'");
  });

  it('[E7] returns the module that main.ts starts when it has another name, in the project of a monorepo', async () => {
    const workspace = await add(
      {
        'package.json': freshApplication['package.json'] ?? '',
        'apps/shop/src/main.ts':
          "import { NestFactory } from '@nestjs/core';\nimport { ShopModule } from './root/shop.module.js';\nNestFactory.create(ShopModule, { cors: true });\n",
        'apps/shop/src/root/shop.module.ts':
          "import { Module } from '@nestjs/common';\n@Module({ imports: [] })\nexport class ShopModule {}\n",
        'apps/other/src/app.module.ts':
          "import { Module } from '@nestjs/common';\n@Module({})\nexport class AppModule {}\n",
      },
      { sourceRoot: 'apps/shop/src' },
    );
    expect(workspace.text('apps/shop/src/root/shop.module.ts')).toContain(EXPRESSION);
    expect(workspace.has('apps/shop/src/root/auth.options.ts')).toBe(true);
    expect(workspace.text('apps/other/src/app.module.ts')).not.toContain('AuthModule');
    expect(workspace.has('.env.example')).toBe(true);
  });

  it('[E7] returns an import of ResilientAuthModule when it has an AuthModule of its own', async () => {
    const text =
      "import { Module } from '@nestjs/common';\nimport { AuthModule } from './auth/auth.module';\n\n@Module({\n  imports: [AuthModule],\n})\nexport class AppModule {}\n";
    const workspace = await add(withModule(text));
    expect(workspace.text('src/app.module.ts')).toContain('ResilientAuthModule.forRootAsync(');
    expect(workspace.text('src/app.module.ts')).toContain(
      "import { ResilientAuthModule } from 'nestjs-resilient-auth';",
    );
    const before = workspace.files;
    await workspace.run(nestAdd({ sourceRoot: 'src' }));
    expect(workspace.files).toEqual(before);
  });

  it.each([
    ['there is none', {}, /There is no root module src\/app\.module\.ts.*--module/],
    [
      'its imports are no list',
      {
        'src/app.module.ts':
          "import { Module } from '@nestjs/common';\n@Module({ imports: modules })\nexport class AppModule {}\n",
      },
      /imports in src\/app\.module\.ts is no list.*AuthModule\.forRootAsync/,
    ],
    [
      'its metadata stands elsewhere',
      {
        'src/app.module.ts':
          "import { Module } from '@nestjs/common';\n@Module(metadata)\nexport class AppModule {}\n",
      },
      /has no class with @Module/,
    ],
    [
      'auth.options.ts is of another origin',
      { 'src/app.module.ts': '@Module({})\nexport class AppModule {}\n', 'src/auth.options.ts': '' },
      /src\/auth\.options\.ts is there already/,
    ],
  ])('[E7] throws and changes nothing when %s', async (_, files, message) => {
    const workspace = new Workspace({ 'package.json': freshApplication['package.json'] ?? '', ...files });
    const before = workspace.files;
    await expect(workspace.run(nestAdd({ sourceRoot: 'src' }))).rejects.toThrow(message);
    expect(workspace.files).toEqual(before);
  });

  it('[E7] throws when the preset is unknown, or package.json is missing', async () => {
    await expect(add(freshApplication, { preset: 'toString' })).rejects.toThrow(/no preset toString/);
    await expect(
      new Workspace({ 'src/app.module.ts': '@Module({})\nclass A {}' }).run(nestAdd({})),
    ).rejects.toThrow(/no package\.json/);
  });
});

describe('presets', () => {
  it('[E7] returns the presets of nestjs-resilient-auth/presets, and those of the schema', () => {
    const schema = JSON.parse(
      readFileSync(new URL('../../../schematics/nest-add.schema.json', import.meta.url), 'utf8'),
    );
    const names = Object.keys(PRESETS).toSorted();
    expect(names).toEqual(['none', ...Object.keys(presets)].toSorted());
    expect(schema.properties.preset.enum.toSorted()).toEqual(names);
    const labelled: { value: string }[] = schema.properties.preset['x-prompt'].items;
    expect(labelled.map(({ value }) => value).toSorted()).toEqual(names);
  });

  it('[E7] returns an options file that compiles for each of them', async () => {
    const root = fileURLToPath(new URL('../../..', import.meta.url));
    const sources = new Map<string, string>();
    for (const preset of Object.keys(PRESETS)) {
      const workspace = await add(freshApplication, { preset });
      sources.set(
        `${root}test/unit/schematics/generated-${preset}.ts`,
        workspace.text('src/auth.options.ts'),
      );
    }
    const { config } = ts.readConfigFile(`${root}tsconfig.json`, (path) => ts.sys.readFile(path));
    const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, root);
    const host = ts.createCompilerHost(options);
    const real = ts.createCompilerHost(options);
    host.fileExists = (path) => sources.has(path) || real.fileExists(path);
    host.readFile = (path) => sources.get(path) ?? real.readFile(path);
    const program = ts.createProgram([...sources.keys()], { ...options, noEmit: true }, host);
    const wrong = [...sources.keys()].flatMap((path) =>
      ts.getPreEmitDiagnostics(program, program.getSourceFile(path)),
    );
    expect(wrong.map(({ messageText }) => messageText)).toEqual([]);
  });
});
