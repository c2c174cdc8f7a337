import type { DynamicModule, Type } from '@nestjs/common';

/** One capability of the sample: a Nest module in a folder of its own, and its routes for the printed help. */
export interface Feature {
  readonly module: Type | DynamicModule;
  readonly routes: readonly RouteHelp[];
}

/** One line of the printed help; the playground offers the same routes. */
export interface RouteHelp {
  /** HTTP method. */
  readonly method: string;
  readonly path: string;
  /** What the route requires, in a few words. */
  readonly requires: string;
  /** A JSON body that the route accepts. */
  readonly body?: object;
}
