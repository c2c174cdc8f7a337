import type { DynamicModule, INestApplication, Type } from '@nestjs/common';
import type { AuthContext, AuthExtension } from 'nestjs-resilient-auth';

/** One capability of the sample: most often a Nest module in a folder of its own, and its routes for the printed help. */
export interface Feature {
  readonly module?: Type | DynamicModule;
  /** Switches its handlers on, when they are not HTTP's. */
  readonly context?: AuthContext;
  /** What it adds to every authentication. */
  readonly extension?: AuthExtension;
  /** Called before the application listens. */
  readonly prepare?: (app: INestApplication) => void;
  readonly routes: readonly RouteHelp[];
  /** Lines of the printed help for what is not called over HTTP. */
  readonly channels?: readonly ChannelHelp[];
}

/** What is called over a socket. */
interface ChannelHelp {
  readonly transport: string;
  /** Path or message pattern. */
  readonly name: string;
  readonly requires: string;
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
