import {
  Body,
  Controller,
  Get,
  Header,
  HttpCode,
  NotFoundException,
  Param,
  Post,
  Sse,
  StreamableFile,
  UseGuards,
} from '@nestjs/common';
import { AllowAnonymous } from 'nestjs-resilient-auth';
import { map, type Observable } from 'rxjs';
import { features } from '../features.js';
import type { RouteHelp } from '../feature.js';
import { isActionName } from './actions.js';
import { LocalOnlyGuard } from './local-only.guard.js';
import { contentSecurityPolicy, readPageFile } from './page-files.js';
import { PlaygroundService } from './playground.service.js';
import type { PlaygroundState } from './playground.state.js';
import { tokenRequestSchema, type TokenRequest } from './token/token-request.js';
import { TokenService, type SignedToken } from './token/token.service.js';

@Controller()
@AllowAnonymous()
@UseGuards(LocalOnlyGuard)
export class PlaygroundController {
  constructor(
    private readonly playground: PlaygroundService,
    private readonly tokens: TokenService,
  ) {}

  @Get()
  @Header('Content-Security-Policy', contentSecurityPolicy)
  @Header('Referrer-Policy', 'no-referrer')
  @Header('Cache-Control', 'no-store')
  page(): Promise<StreamableFile> {
    return this.file('index.html');
  }

  @Get('playground/files/:name')
  @Header('X-Content-Type-Options', 'nosniff')
  @Header('Cache-Control', 'no-store')
  async file(@Param('name') name: string): Promise<StreamableFile> {
    const file = await readPageFile(name);
    if (!file) throw new NotFoundException('The page has no file of this name');
    return new StreamableFile(file.content, { type: file.type, length: file.content.length });
  }

  @Get('playground/routes')
  routes(): readonly RouteHelp[] {
    return features.flatMap(({ routes }) => routes);
  }

  @Sse('playground/events')
  events(): Observable<{ data: PlaygroundState }> {
    return this.playground.state$.pipe(map((data) => ({ data })));
  }

  @Post('playground/actions/:name')
  @HttpCode(204)
  async act(@Param('name') name: string): Promise<void> {
    if (name === 'reset') return this.playground.reset();
    if (!isActionName(name)) throw new NotFoundException('The playground has no action of this name');
    await this.playground.run(name);
  }

  @Post('playground/tokens')
  @HttpCode(200)
  sign(@Body({ schema: tokenRequestSchema }) request: TokenRequest): Promise<SignedToken> {
    return this.tokens.sign(request);
  }
}
