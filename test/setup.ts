import 'reflect-metadata';
import { Logger } from '@nestjs/common';

// The library logs state changes; tests assert on events instead.
Logger.overrideLogger(false);
