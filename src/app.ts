// The map of the service: every hook, plugin and route by name, in order. No state, no I/O of its
// own; what it needs is handed in by wiring/open-service.ts.

import { type FastifyBaseLogger, type FastifyInstance, fastify } from 'fastify'
import type { Logger } from 'pino'
import {
  registerEmailVerification,
  registerOwnEmailVerification,
} from './http/account/email-verification-route.ts'
import { registerOwnFactors } from './http/account/factors-route.ts'
import { registerPasswordReset } from './http/account/password-reset-route.ts'
import { registerAdminSessions, registerOwnSessions } from './http/account/sessions-route.ts'
import { registerUsersMe } from './http/account/users-me-route.ts'
import { registerUsers } from './http/account/users-route.ts'
import { registerAdminClients } from './http/admin/admin-clients-route.ts'
import { registerAdminEvents } from './http/admin/admin-events-route.ts'
import { registerAdminFactors } from './http/admin/admin-factors-route.ts'
import { registerAdminKeys } from './http/admin/admin-keys-route.ts'
import { registerAdminTrustedIssuers } from './http/admin/admin-trusted-issuers-route.ts'
import { registerAdminUsers } from './http/admin/admin-users-route.ts'
import { registerAdminWebhooks } from './http/admin/admin-webhooks-route.ts'
import { openFront } from './http/front/front.ts'
import { registerIntrospect } from './http/oauth/introspect-route.ts'
import { registerJwks } from './http/oauth/jwks-route.ts'
import { registerMetadata } from './http/oauth/metadata-route.ts'
import { acceptFormsOnly } from './http/oauth/oauth-endpoint.ts'
import { registerRevoke } from './http/oauth/revoke-route.ts'
import { openTokenCookies } from './http/oauth/token-cookies.ts'
import { registerToken } from './http/oauth/token-route.ts'
import { type RequestAbandoned, tellAbandoned } from './http/server/abandoned-requests.ts'
import { answerInTurn } from './http/server/answers-in-turn.ts'
import { loadApiFiles } from './http/server/api-files.ts'
import { registerApi } from './http/server/api-route.ts'
import { admitOnly, requireRecentLogin, requireScope, requireUser } from './http/server/bearer.ts'
import { boundConnections } from './http/server/bound-connections.ts'
import { allowAnyOrigin, allowClientOrigins, setCorsHeaders } from './http/server/cors.ts'
import { setErrorHandler } from './http/server/error-handler.ts'
import { registerHealth } from './http/server/health-route.ts'
import { registerIndex, registerOperationsIndex } from './http/server/index-route.ts'
import { addMethodNotAllowedRoutes, collectKnownPaths } from './http/server/known-paths.ts'
import { dropLateRequests } from './http/server/late-requests.ts'
import type { Surface } from './http/server/listener-plan.ts'
import { registerMetrics } from './http/server/metrics-route.ts'
import { trustProxies } from './http/server/peer-address.ts'
import { takeCertificates } from './http/server/presented-certificate.ts'
import { restoreRareMethods, routeAsStandIn } from './http/server/rare-methods.ts'
import { routeTargets } from './http/server/request-target.ts'
import { setTraceHeaders, traceRequests } from './http/server/request-trace.ts'
import {
  acceptJsonOnly,
  closeConnectionsWhenClosing,
  setAnswersOutsideRoutes,
  watchClosing,
} from './http/server/server-options.ts'
import { followTls, listenerOptions } from './http/server/tls-server.ts'
import { registerVerify } from './http/verify/verify-route.ts'
import { ADMIN_SCOPE } from './oauth/role-bound-scope.ts'
import { openRequestLines, type RequestLine } from './ops/request-line.ts'
import type { Service } from './wiring/open-service.ts'

/** How long after a login one's own factors may be changed. */
const RECENT_LOGIN_SECONDS = 300

/** Builds the application; the caller makes it listen and closes it. */
export async function buildApp(
  service: Service,
  logger: Logger,
  surface: Surface = 'all',
): Promise<FastifyInstance> {
  const { config, requestTracing } = service
  const loggerInstance: FastifyBaseLogger = logger
  const app = fastify({
    ...listenerOptions(service.tls),
    loggerInstance,
    rewriteUrl: routeAsStandIn(routeTargets(service.basePath)),
  })
  restoreRareMethods(app)
  service.connections.addListener(boundConnections(app, service.connections))
  trustProxies(app, config.trustProxy)
  takeCertificates(app, {
    header: config.certificateHeader,
    hasAuthorities: config.tls?.clientCaFile !== undefined,
  })
  setErrorHandler(app)
  const onAbandoned: RequestAbandoned = (request, durationMs) => {
    tellAbandoned(request, durationMs)
    service.countAbandoned(request.method, request.routeOptions.url, durationMs)
  }
  answerInTurn(app, onAbandoned)
  const writeLine = openRequestLines(logger)
  const onEnd = (line: RequestLine) => {
    writeLine(line)
    service.countRequest(line)
    requestTracing?.ended(line)
  }
  const isClosing = watchClosing(app, service.health)
  const late = dropLateRequests(app)
  openFront(app, { ...service, logger, onEnd, onAbandoned, late, isClosing })
  if (service.tls) followTls(app, service.tls)
  if (requestTracing) traceRequests(app, requestTracing)
  setTraceHeaders(app)
  setAnswersOutsideRoutes(app, onEnd)
  closeConnectionsWhenClosing(app, isClosing)
  setCorsHeaders(app, service.clients)
  const paths = collectKnownPaths(app)
  if (surface !== 'operations') {
    await app.register(async (scope) => registerPublic(scope, service), {
      prefix: service.basePath,
    })
    await app.register(async (scope) => {
      allowAnyOrigin(scope)
      registerIndex(scope, { ...service, ...config })
      registerMetadata(scope, { ...service, ...config })
    })
  }
  if (surface !== 'public') {
    registerHealth(app, service)
    registerMetrics(app, { ...service, isLocalOnly: surface === 'all' })
    await app.register(async (scope) => registerAdmin(scope, service), { prefix: service.basePath })
  }
  if (surface === 'operations') registerOperationsIndex(app, [...paths.keys()])
  addMethodNotAllowedRoutes(app, paths)
  return app
}

async function registerPublic(app: FastifyInstance, service: Service): Promise<void> {
  const { config, management } = service
  const { confirmations } = management
  const { issuer, mtlsOrigin } = config
  const names = { issuer, mtlsOrigin }
  const cookies = openTokenCookies(issuer)
  await app.register(async (scope) => {
    acceptFormsOnly(scope)
    registerIntrospect(scope, { ...service, issuer })
    await scope.register(async (browsers) => {
      allowClientOrigins(browsers)
      registerToken(browsers, { ...service, ...names, cookies })
      registerRevoke(browsers, { ...service, cookies })
    })
  })
  await app.register(async (scope) => {
    allowAnyOrigin(scope)
    registerJwks(scope, service.keys)
  })
  await app.register(async (scope) => {
    allowClientOrigins(scope)
    acceptJsonOnly(scope)
    registerUsers(scope, management.users, config.registration)
    if (confirmations) {
      registerPasswordReset(scope, confirmations)
      registerEmailVerification(scope, confirmations)
    }
    await scope.register(async (own) => {
      admitOnly(own, requireUser(service, names))
      registerUsersMe(own, management.users, management.passwords)
      registerOwnSessions(own, management.sessions)
      if (confirmations) registerOwnEmailVerification(own, confirmations)
      await own.register(async (recent) => {
        recent.addHook('onRequest', requireRecentLogin(RECENT_LOGIN_SECONDS, service.clock))
        registerOwnFactors(recent, management.factors)
      })
    })
  })
  await app.register(async (scope) => registerVerify(scope, { ...service, ...names, cookies }))
  registerApi(app, loadApiFiles(config))
}

async function registerAdmin(app: FastifyInstance, service: Service): Promise<void> {
  const { management } = service
  acceptJsonOnly(app)
  admitOnly(app, requireScope(ADMIN_SCOPE, service, service.config))
  registerAdminUsers(app, management.users, management.passwords)
  registerAdminSessions(app, management.users, management.sessions)
  registerAdminFactors(app, management.users, management.factors)
  registerAdminClients(app, management.clients)
  registerAdminTrustedIssuers(app, management.trust)
  registerAdminKeys(app, management.keys)
  registerAdminEvents(app, service.events)
  registerAdminWebhooks(app, management.webhooks)
}
