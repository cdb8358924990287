// nginx with examples/gateways/nginx: auth_request to /verify, with a bearer token and with a cookie.

import { type Test, test } from 'tap'
import type { Scene } from '../scenes/gateway-scene.ts'
import { requirePrograms } from './gateways/debian-package.ts'
import { type Gateway, startGateway } from './gateways/gateway-process.ts'
import { checkVerifyGateway } from './gateways/verify-gateway.ts'

const NGINX = requirePrograms({ nginx: '/usr/sbin/nginx' })

function startNginx(t: Test, { addresses }: Scene): Promise<Gateway> {
  return startGateway(t, {
    name: 'nginx',
    program: NGINX,
    // The README's line, with the worker and its master in the foreground.
    args: (dir) => ['-p', dir, '-e', 'stderr', '-c', 'nginx.conf', '-g', 'daemon off;'],
    addresses,
  })
}

test('nginx lets through whom /verify admits, as whom it says, and nobody else', (t) =>
  checkVerifyGateway(t, { line: 'nginx 1.22', packages: ['nginx'] }, startNginx))
