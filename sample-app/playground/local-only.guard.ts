import { ForbiddenException, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';

/** A header that a form or a page of another origin cannot send without a preflight, which is not answered. */
const playgroundHeader = 'x-playground';

const loopbackNames = ['127.0.0.1', 'localhost', '[::1]'];

/** Serves only pages of this machine: no foreign origin (cross-site request forgery), no foreign name (DNS rebinding). */
export class LocalOnlyGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { method, headers } = context.switchToHttp().getRequest<Request>();
    if (!loopbackNames.includes(hostnameOf(headers.host))) {
      throw new ForbiddenException('The playground answers on loopback only: open it as http://127.0.0.1');
    }
    if (method !== 'GET' && headers[playgroundHeader] !== '1') {
      throw new ForbiddenException(
        `Requests that change something must have the header ${playgroundHeader}: 1`,
      );
    }
    return true;
  }
}

function hostnameOf(host: string | undefined): string {
  const address = `http://${host ?? ''}`;
  return URL.canParse(address) ? new URL(address).hostname : '';
}
