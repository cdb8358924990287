// Every long-lived object of the service, opened once in this order and closed in reverse.

import type { Admission } from '../admission/admission.ts'
import type { AssertionServices } from '../client-auth/authentication-method.ts'
import type { ClientStore } from '../clients/client-store.ts'
import type { ClientTable } from '../clients/client-table.ts'
import type { ServiceConfig } from '../config/service-config.ts'
import type { SecretEnvironment } from '../declarative/read-secret.ts'
import { type DpopVerifier, openDpopVerifier } from '../dpop/dpop-verifier.ts'
import { reencryptFactors } from '../factors/factor-upkeep.ts'
import type { Families } from '../families/families.ts'
import { openPostgresJournal } from '../families/postgres/postgres-journal.ts'
import type { GrantServices } from '../grants/grant.ts'
import { type KeyRing, openKeyRing } from '../keys/key-ring.ts'
import { recordKeyEvents } from '../management/key-management.ts'
import type { Health } from '../ops/health.ts'
import type { SingleUse } from '../replay/single-use.ts'
import type { Clock } from '../runtime/clock.ts'
import type { RootSecrets } from '../secrets/root-secret.ts'
import type { Throttle } from '../throttle/throttle.ts'
import type { TlsSource } from '../tls/tls-source.ts'
import { openTokenChecker, type TokenChecker } from '../tokens/check-access-token.ts'
import { openTokenMint, type TokenMint } from '../tokens/token-mint.ts'
import type { RequestTracing } from '../tracing/tracing.ts'
import { openTrustedIssuerTable, type TrustedIssuerTable } from '../trust/trusted-issuer-table.ts'
import type { TrustServices } from '../trust/use-trusted-token.ts'
import type { PasswordCosts } from '../users/password-costs.ts'
import type { PasswordHasher } from '../users/password-hasher.ts'
import type { UserStore } from '../users/user-store.ts'
import { applyAtStart } from './apply-at-start.ts'
import { type Foundation, type FoundationOptions, openFoundation } from './foundation.ts'
import { startHousekeeping } from './housekeeping.ts'
import { exportFigures, loadTelemetry } from './load-telemetry.ts'
import { openServiceAdmission } from './open-admission.ts'
import { openAssertions, openTrust } from './open-assertions.ts'
import type { Audit } from './open-audit.ts'
import { type Connections, openConnections } from './open-connections.ts'
import { type OpenedFamilyStore, openFamilyStore } from './open-family-store.ts'
import { openGrants } from './open-grants.ts'
import { openHasher } from './open-hasher.ts'
import { openHealth } from './open-health.ts'
import { type Mail, openMail } from './open-mail.ts'
import { type Management, openManagement } from './open-management.ts'
import { type Metrics, openMetrics } from './open-metrics.ts'
import { loadClientTable, openClients, openTrustedIssuers, openUsers } from './open-stores.ts'
import { openServiceThrottle } from './open-throttle.ts'
import { openServiceTls } from './open-tls.ts'
import { prepareDatabase } from './prepare-database.ts'
import { withPatience } from './start-patience.ts'

/** Everything that routes are handed; each takes what it names. */
export interface Service extends Omit<Audit, 'close'>, Metrics {
  readonly config: ServiceConfig
  /** The path of the issuer, empty when it has none. */
  readonly basePath: string
  readonly clock: Clock
  readonly rootSecrets: RootSecrets
  readonly health: Health
  readonly clientStore: ClientStore
  readonly clients: ClientTable
  readonly trustedIssuers: TrustedIssuerTable
  readonly users: UserStore
  readonly hasher: PasswordHasher
  readonly passwordCosts: PasswordCosts
  readonly families: Families
  readonly keys: KeyRing
  readonly tokens: TokenMint
  readonly checker: TokenChecker
  readonly throttle: Throttle
  readonly singleUse: SingleUse
  readonly dpop: DpopVerifier
  readonly assertions: AssertionServices
  readonly trust: TrustServices
  readonly management: Management
  readonly mail: Mail
  readonly admission: Admission
  readonly connections: Connections
  readonly grants: GrantServices
  /** Undefined where Lineage speaks plain HTTP. */
  readonly tls: TlsSource | undefined
  /** Undefined where requests are not traced. */
  readonly requestTracing: RequestTracing | undefined
  /** Ends what runs in the background, writes the events, then closes store and database. */
  close(): Promise<void>
}

export interface ServiceOptions extends FoundationOptions {
  /** Where the secrets of LINEAGE_APPLY_FILE may be; undefined where another process applies it. */
  readonly applyEnv?: SecretEnvironment
}

/** Opens the service; throws StartError with one line when it cannot start. */
export async function openService({ applyEnv, ...options }: ServiceOptions): Promise<Service> {
  const telemetry = await loadTelemetry(options)
  try {
    const foundation = openFoundation({ ...options, tracing: telemetry?.tracing })
    const service = await openAndApply(foundation, applyEnv)
    return telemetry ? exportFigures(service, telemetry) : service
  } catch (error) {
    await telemetry?.close()
    throw error
  }
}

async function openAndApply(
  foundation: Foundation,
  applyEnv: SecretEnvironment | undefined,
): Promise<Service> {
  const { opened, service } = await openWithPatience(foundation)
  if (!applyEnv || foundation.config.applyFiles.length === 0) return service
  try {
    await withPatience(foundation.outages, () =>
      applyAtStart(foundation, opened, service, applyEnv),
    )
    return service
  } catch (error) {
    await service.close()
    throw error
  }
}

async function openWithPatience(
  foundation: Foundation,
): Promise<{ readonly opened: OpenedFamilyStore; readonly service: Service }> {
  const { database, outages, audit, figures, watches } = foundation
  let opened: OpenedFamilyStore | undefined
  const close = async () => {
    await audit.close()
    await opened?.store.close()
    await database.close()
  }
  try {
    return await withPatience(outages, async () => {
      await prepareDatabase(foundation)
      // Not before there is a journal: it is re-applied to every Redis that is connected to.
      const journal = openPostgresJournal(database)
      opened ??= openFamilyStore({
        ...foundation,
        journal,
        watch: watches.redis,
        onReplayed: (count) => figures.journalReplayed.addMany(count),
      })
      return { opened, service: await openParts(foundation, opened, close) }
    })
  } catch (error) {
    await close()
    throw error
  }
}

async function openParts(
  foundation: Foundation,
  opened: OpenedFamilyStore,
  closeStores: () => Promise<void>,
): Promise<Service> {
  const { config, database, clock, audit, watches } = foundation
  const { rootSecrets, issuer } = config
  const { recordEvent } = audit
  await audit.webhooks.reencrypt()
  await reencryptFactors(database.pool, rootSecrets)
  const keys = await openKeyRing({
    ...foundation,
    recordKeyEvent: recordKeyEvents(recordEvent),
  })
  const { audienceSigningAlgs: audienceAlgs } = config
  const watchSignature = watches.signing
  const tokens = openTokenMint({ keys, issuer, audienceAlgs, clock, watchSignature })
  const clientStore = openClients(database, config, foundation.latest)
  const clients = await loadClientTable(database, config, clock)
  const trustedIssuerStore = openTrustedIssuers(database, config, clock)
  const trustedIssuers = openTrustedIssuerTable(trustedIssuerStore)
  await trustedIssuers.reload()
  const { users, factors, families } = openUsers(foundation, opened)
  const { hasher, lanes, passwordCosts } = await openHasher(config, database, foundation)
  const isKnownIssuer = (id: string) => trustedIssuers.find(id)?.subjects?.mode === 'own'
  const checker = openTokenChecker({ tokens, clients, families, isKnownIssuer, clock })
  const throttle = openServiceThrottle(foundation, opened)
  const health = openHealth(foundation, opened)
  await opened.settle()
  const refusal = opened.refusal()
  if (refusal) throw refusal
  const mail = await openMail(foundation, users)
  const tls = openServiceTls(foundation)
  const held = { keys, clients, trustedIssuers, passwordCosts, families }
  const housekeeping = startHousekeeping({ ...foundation, ...held, opened, mail })
  const { singleUse } = opened
  const common = { families, tokens, rootSecrets, clock, recordEvent, throttle }
  const trusted = { trustedIssuerStore, trustedIssuers }
  const stores = { ...trusted, clientStore, clients, users, factors, hasher, passwordCosts }
  const assertions = openAssertions(foundation, opened)
  const trust = openTrust(foundation, opened, { ...assertions, trustedIssuers })
  const basePath = new URL(issuer).pathname.replace(/\/$/, '')
  const familiesIn = opened.store.name
  return {
    config,
    basePath,
    requestTracing: foundation.requestTracing,
    ...openMetrics({ foundation, basePath, health, keys, lanes, familiesIn }),
    ...audit,
    ...stores,
    ...common,
    singleUse,
    dpop: openDpopVerifier({ rootSecrets, clock, singleUse, nonceDemand: config.dpopNonce }),
    assertions,
    trust,
    health,
    keys,
    checker,
    admission: openServiceAdmission(foundation),
    connections: openConnections(foundation),
    mail,
    tls,
    management: openManagement({ ...foundation, ...audit, ...stores, ...common, keys, mail }),
    grants: openGrants(foundation, { ...common, trust, users, hasher, checker }),
    async close() {
      tls?.close()
      await housekeeping.stop()
      await closeStores()
    },
  }
}
