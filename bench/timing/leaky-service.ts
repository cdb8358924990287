// The service with a leak that BENCH_LEAK names, for the measurement to find; only the benchmark runs
// it. What is leaked is whether there is a user of the name.

import { buildApp } from '../../src/app.ts'
import { loadConfig, type ServiceConfig } from '../../src/config/service-config.ts'
import { OAuthError } from '../../src/oauth/oauth-error.ts'
import { createLogger } from '../../src/ops/logger.ts'
import { authenticateUser } from '../../src/users/authenticate-user.ts'
import { defaultHashingLanes, openHashingLanes } from '../../src/users/hashing-lanes.ts'
import { openPasswordHasher } from '../../src/users/password-hasher.ts'
import { parseIdentifier } from '../../src/users/user-names.ts'
import { openService, type Service } from '../../src/wiring/open-service.ts'

type Login = Service['grants']['login']

/** How a login of an unknown user is answered, by the name of the leak. */
const LEAKS: Readonly<Record<string, (service: Service) => Login>> = {
  // What a service does that looks the user up and refuses.
  'no work for unknown users': () => async () => {
    throw new OAuthError('login_user_unknown')
  },
  // What a service does that hashes for unknown users, but not as much as imported hashes take.
  'own hash alone for unknown users': ({ config, users, throttle }) => {
    const lanes = openHashingLanes(defaultHashingLanes(config.threads))
    const hasher = openPasswordHasher({ parameters: config.argon2, lanes })
    const login = { users, hasher, passwordLimits: config, throttle }
    return async (credentials, { ip }) => await authenticateUser({ ...credentials, ip }, login)
  },
}

const config = loadConfig(process.env) as ServiceConfig
const logger = createLogger(config.logLevel, process.stdout)
const service = await openService({ config, logger })
const loginUnknown = LEAKS[process.env.BENCH_LEAK ?? '']?.(service)
if (!loginUnknown) throw new Error('BENCH_LEAK names no leak')

const login: Login = async (credentials, source) => {
  const key = parseIdentifier(credentials.identifier)
  const isKnown = key && (await service.users.findForLogin(key))
  return await (isKnown ? service.grants.login : loginUnknown)(credentials, source)
}
const app = await buildApp({ ...service, grants: { ...service.grants, login } }, logger)
await app.listen({ port: config.port, host: '127.0.0.1' })
service.health.markStarted()
process.once('SIGTERM', async () => {
  app.server.closeAllConnections()
  await app.close()
  await service.close()
  process.exit(0)
})
