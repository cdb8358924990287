// GET /metrics: what the instance counts, as Prometheus reads it. On LINEAGE_OPS_PORT for whoever
// reaches that port; on the public port for the machine itself alone, by the address of the socket,
// because every header can be written by anybody.

import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Exposition, ExpositionFormat } from '../../metrics/exposition.ts'
import { isLoopbackAddress } from '../../runtime/ip-address.ts'
import { trimBlanks } from '../../runtime/trim-blanks.ts'
import { ApiError } from './api-error.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** For whom the path is one that does not exist, whatever the method. */
    readonly isHiddenFrom?: (request: FastifyRequest) => boolean
  }
}

export interface MetricsRouteDependencies {
  readonly exposeMetrics: (format: ExpositionFormat) => Promise<Exposition>
  /** Whether only the machine itself may read them. */
  readonly isLocalOnly: boolean
}

export function registerMetrics(
  app: FastifyInstance,
  { exposeMetrics, isLocalOnly }: MetricsRouteDependencies,
): void {
  const isHiddenFrom = ({ raw }: FastifyRequest) =>
    isLocalOnly && !isLoopbackAddress(raw.socket.remoteAddress ?? '')
  app.get('/metrics', { config: { isHiddenFrom } }, async (request, reply) => {
    if (isHiddenFrom(request)) throw new ApiError('not_found')
    const format = prefersOpenMetrics(request.headers.accept) ? 'openmetrics' : 'prometheus'
    const { contentType, text } = await exposeMetrics(format)
    return reply
      .header('cache-control', 'no-store')
      .header('vary', 'accept')
      .type(contentType)
      .send(text)
  })
}

/** A header is at most 16 KiB; nobody lists more types than this. */
const TYPES_MAX = 32

/** Whether OpenMetrics is accepted, and plain text is not preferred to it (RFC 9110 §12.5.1). */
function prefersOpenMetrics(accept = ''): boolean {
  const weights = new Map<string, number>()
  for (const range of accept.toLowerCase().split(',', TYPES_MAX)) {
    const [type = '', ...parameters] = range.split(';').map(trimBlanks)
    const weight = weightOf(parameters)
    weights.set(type, Math.max(weight, weights.get(type) ?? 0))
  }
  const open = weights.get('application/openmetrics-text') ?? 0
  const plain = weights.get('text/plain') ?? 0
  return open > 0 && open >= plain
}

/** 1 where none is given, 0 for one that is no number. */
function weightOf(parameters: readonly string[]): number {
  const given = parameters.find((parameter) => parameter.startsWith('q='))
  if (given === undefined) return 1
  const weight = Number(given.slice('q='.length))
  return weight >= 0 && weight <= 1 ? weight : 0
}
