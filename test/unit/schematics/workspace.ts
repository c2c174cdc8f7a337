import { fileURLToPath } from 'node:url';
import { HostTree, type Rule as DevkitRule } from '@angular-devkit/schematics';
import { SchematicTestRunner, UnitTestTree } from '@angular-devkit/schematics/testing';
import type { Rule } from '../../../lib/schematics/schematic.js';

const collection = fileURLToPath(new URL('../../../schematics/collection.json', import.meta.url));

/** What `nest new` writes, as far as a schematic looks at it. */
export const freshApplication: Readonly<Record<string, string>> = {
  'package.json': `${JSON.stringify({ name: 'app', dependencies: { '@nestjs/common': '^12.0.1', '@nestjs/core': '^12.0.1' } }, null, 2)}\n`,
  'src/main.ts': `import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module';

async function bootstrap() {
  const app = await NestFactory.create(AppModule);
  await app.listen(process.env.PORT ?? 3000);
}
bootstrap();
`,
  'src/app.module.ts': `import { Module } from '@nestjs/common';
import { AppController } from './app.controller';

@Module({
  imports: [],
  controllers: [AppController],
})
export class AppModule {}
`,
};

/** A workspace in memory, and a schematic that runs on it with the engine of the Nest CLI. */
export class Workspace {
  readonly #runner = new SchematicTestRunner('nestjs-resilient-auth', collection);
  readonly messages: string[] = [];
  #tree: UnitTestTree;

  constructor(files: Readonly<Record<string, string>>) {
    this.#tree = new UnitTestTree(new HostTree());
    for (const [path, content] of Object.entries(files)) this.#tree.create(path, content);
    this.#runner.logger.subscribe(({ message }) => this.messages.push(message));
  }

  /** Changes nothing when the schematic throws. */
  async run(rule: Rule): Promise<this> {
    // The real types accept what the library writes down of them.
    const { logger } = this.#runner;
    const devkitRule: DevkitRule = (tree, context) => {
      // The engine gives a rule that a test calls a logger that drops everything.
      const addTask = context.addTask.bind(context);
      rule(tree, { logger, addTask });
    };
    const before = this.#tree.branch();
    const after = await new Promise<UnitTestTree>((resolve, reject) => {
      this.#runner.callRule(devkitRule, before).subscribe({
        next: (tree) => resolve(new UnitTestTree(tree)),
        error: reject,
      });
    });
    this.#tree = after;
    return this;
  }

  text(path: string): string {
    return this.#tree.readText(path);
  }

  has(path: string): boolean {
    return this.#tree.exists(path);
  }

  get files(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#tree.files.map((path) => [path, this.#tree.readText(path)]));
  }

  get tasks(): readonly unknown[] {
    return this.#runner.tasks.map(({ name, options }) => ({ name, options }));
  }
}
