// The HTTP server where Lineage ends TLS itself: what Fastify is told, and new files taken while it
// runs. Everything above the socket is as it is without TLS.

import type { Server } from 'node:http'
import type { TLSSocket, Server as TlsServer } from 'node:tls'
import type { FastifyHttpOptions, FastifyInstance } from 'fastify'
import { toSecureContext, toTlsOptions } from '../../tls/tls-options.ts'
import type { TlsSource } from '../../tls/tls-source.ts'
import { SERVER_OPTIONS } from './server-options.ts'

/**
 * The options of a listener. Fastify's types tell servers with and without TLS apart, of which we use
 * only what both have.
 */
export function listenerOptions(tls: TlsSource | undefined): FastifyHttpOptions<Server> {
  if (!tls) return SERVER_OPTIONS
  const https = { ...SERVER_OPTIONS.http, ...toTlsOptions(tls.current()) }
  return { ...SERVER_OPTIONS, https } as FastifyHttpOptions<Server>
}

/**
 * Takes new files for connections to come; those that are open go on. One that has brought a
 * certificate while other authorities counted is asked to end after its next answer, so that nobody
 * goes on for long with what they said.
 */
export function followTls(app: FastifyInstance, tls: TlsSource): void {
  const server = app.server as unknown as TlsServer
  let authorities = tls.current().clientCa
  const judgedBy = new WeakMap<object, string | undefined>()
  server.on('secureConnection', (socket: TLSSocket) => {
    if (socket.getPeerX509Certificate()) judgedBy.set(socket, authorities)
  })
  tls.onChange((material) => {
    server.setSecureContext(toSecureContext(material))
    authorities = material.clientCa
  })
  app.server.prependListener('request', ({ socket }, response) => {
    if (judgedBy.has(socket) && judgedBy.get(socket) !== authorities) {
      response.shouldKeepAlive = false
    }
  })
}
