import { applyDecorators, Controller, Get, Module, type ModuleMetadata, type Type } from '@nestjs/common';

/** The smallest application with one route, and what protects it. */
export function greetingModule(protection: readonly ClassDecorator[] = [], rest: ModuleMetadata = {}): Type {
  @applyDecorators(...protection)
  @Controller()
  class GreetingController {
    @Get()
    greet(): { greeting: string } {
      return { greeting: 'hello' };
    }
  }

  @Module({ ...rest, controllers: [GreetingController] })
  class GreetingModule {}
  return GreetingModule;
}
