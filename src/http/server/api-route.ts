// GET /openapi.json: the contract, with the issuer of this installation. GET /docs: the same as a
// page, with its own style and icon below it, and nothing else: no script, and nothing from elsewhere.

import type { FastifyInstance } from 'fastify'
import type { ApiFiles } from './api-files.ts'
import { serveCacheable } from './send-cacheable.ts'

const PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
}

export function registerApi(app: FastifyInstance, { contract, page, style, icon }: ApiFiles): void {
  serveCacheable(app, '/openapi.json', 'application/json', contract)
  serveCacheable(app, '/docs', 'text/html; charset=utf-8', page, PAGE_HEADERS)
  serveCacheable(app, '/docs/style.css', 'text/css; charset=utf-8', style, PAGE_HEADERS)
  serveCacheable(app, '/docs/icon.svg', 'image/svg+xml', icon, PAGE_HEADERS)
}
