import type { ImportStyle } from '../source/source-text.js';
import { PRESETS, type PresetArgument, type PresetName } from './provider-presets.js';

/** The file that reads the options of `AuthModule` from the environment. */
export function optionsFile(preset: PresetName, style: ImportStyle): string {
  const args: readonly PresetArgument[] = PRESETS[preset];
  const members = args.map(({ name, variable, isList }) =>
    isList ? `${name}: list('${variable}'),` : `${name}: required('${variable}'),`,
  );
  const isPlain = preset === 'none';
  const lines = [
    "import type { ResilientAuthOptions } from 'nestjs-resilient-auth';",
    ...(isPlain ? [] : [`import { ${preset} } from 'nestjs-resilient-auth/presets';`]),
    '',
    '/** Read from the environment when the application starts; .env.example lists the variables. */',
    'export function authOptions(): ResilientAuthOptions {',
    isPlain ? '  return {' : `  return ${preset}({`,
    ...members.map((member) => `    ${member}`),
    isPlain ? '  };' : '  });',
    '}',
    '',
    'function required(name: string): string {',
    '  const value = process.env[name];',
    '  if (!value) throw new Error(`${name} is missing in the environment: see .env.example`);',
    '  return value;',
    '}',
    ...(args.some(({ isList }) => isList) ? LIST : []),
    '',
  ];
  return inStyle(lines, style);
}

const LIST = ['', 'function list(name: string): string[] {', "  return required(name).split(',');", '}'];

/** A readiness probe that says whether tokens can be checked. */
export function healthFile(style: ImportStyle): string {
  return inStyle(
    [
      "import { Controller, Get, Module } from '@nestjs/common';",
      "import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';",
      "import { AllowAnonymous } from 'nestjs-resilient-auth';",
      "import { AuthHealthIndicator } from 'nestjs-resilient-auth/terminus';",
      '',
      "@Controller('health')",
      '@AllowAnonymous()',
      'export class AuthHealthController {',
      '  constructor(',
      '    private readonly health: HealthCheckService,',
      '    private readonly auth: AuthHealthIndicator,',
      '  ) {}',
      '',
      '  /** For readiness, never for liveness: a restart does not bring the issuer back. */',
      "  @Get('ready')",
      '  @HealthCheck()',
      '  ready() {',
      '    return this.health.check([() => this.auth.isHealthy()]);',
      '  }',
      '}',
      '',
      '@Module({',
      '  imports: [TerminusModule],',
      '  controllers: [AuthHealthController],',
      '  providers: [AuthHealthIndicator],',
      '})',
      'export class AuthHealthModule {}',
      '',
    ],
    style,
  );
}

/** In the manner of the application's own files. */
function inStyle(lines: readonly string[], { quote, semicolon, newline }: ImportStyle): string {
  return lines
    .map((line) => (semicolon === '' ? line.replace(/;$/, '') : line))
    .map((line) => (line.includes('//') || line.includes('/**') ? line : line.replaceAll("'", quote)))
    .join(newline);
}
