// GET /docs: the contract as a page, with its own style and icon below it, and nothing else: no
// script, and nothing from elsewhere.

import type { FastifyInstance } from 'fastify'
import { cacheableBody } from '../../runtime/cacheable-body.ts'
import type { ApiFiles } from './api-files.ts'
import { sendCacheable } from './send-cacheable.ts'

const MAX_AGE_SECONDS = 300

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
}

export function registerDocs(app: FastifyInstance, { page, style, icon }: ApiFiles): void {
  const serve = (path: string, mediaType: string, body: string) => {
    const answer = cacheableBody(body, MAX_AGE_SECONDS)
    app.get(path, async (request, reply) => {
      reply.headers(HEADERS)
      return sendCacheable(request, reply, mediaType, answer)
    })
  }
  serve('/docs', 'text/html; charset=utf-8', page)
  serve('/docs/style.css', 'text/css; charset=utf-8', style)
  serve('/docs/icon.svg', 'image/svg+xml', icon)
}
