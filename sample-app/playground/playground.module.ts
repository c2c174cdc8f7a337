import { Module, type DynamicModule } from '@nestjs/common';
import { EmbeddedProvider } from '../provider/embedded-provider.js';
import { PlaygroundController } from './playground.controller.js';
import { PlaygroundService } from './playground.service.js';
import { TokenService } from './token/token.service.js';

/** A page that shows the API while its provider is broken. For the embedded provider on loopback only. */
@Module({})
export class PlaygroundModule {
  static forProvider(provider: EmbeddedProvider): DynamicModule {
    return {
      module: PlaygroundModule,
      controllers: [PlaygroundController],
      providers: [{ provide: EmbeddedProvider, useValue: provider }, PlaygroundService, TokenService],
    };
  }
}
