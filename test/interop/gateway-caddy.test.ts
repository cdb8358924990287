// Caddy with examples/gateways/caddy: forward_auth to /verify, with a bearer token and with a cookie.

import { type Test, test } from 'tap'
import type { Scene } from '../scenes/gateway-scene.ts'
import { requirePrograms } from './gateways/debian-package.ts'
import { type Gateway, startGateway } from './gateways/gateway-process.ts'
import { checkVerifyGateway } from './gateways/verify-gateway.ts'

const CADDY = requirePrograms({ caddy: '/usr/bin/caddy' })

function startCaddy(t: Test, { addresses }: Scene): Promise<Gateway> {
  return startGateway(t, {
    name: 'caddy',
    program: CADDY,
    args: () => ['run', '--config', 'Caddyfile'],
    addresses,
  })
}

test('Caddy lets through whom /verify admits, as whom it says, and nobody else', (t) =>
  checkVerifyGateway(t, { line: 'Caddy 2.6', packages: ['caddy'] }, startCaddy))
