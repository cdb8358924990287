// The stores of clients, users and sessions, put together in one way for the service and for the
// command line.

import { AUTHENTICATION_METHODS } from '../client-auth/authentication-methods.ts'
import { bootstrapClient } from '../clients/bootstrap-client.ts'
import type { ClientStoreDependencies } from '../clients/client-change.ts'
import { openClientSource } from '../clients/client-source.ts'
import { type ClientStore, openClientStore } from '../clients/client-store.ts'
import { type ClientTable, openClientTable } from '../clients/client-table.ts'
import type { ServiceConfig } from '../config/service-config.ts'
import type { Database } from '../database/database.ts'
import { queryIn } from '../database/prisma.ts'
import { type FactorStore, forgetFactors, openFactorStore } from '../factors/factor-store.ts'
import { type Families, openFamilies } from '../families/families.ts'
import { journalUserChange } from '../families/postgres/postgres-journal.ts'
import { LISTED_GRANTS } from '../grants/grants.ts'
import { raiseLongestTokenLife } from '../keys/key-rows.ts'
import type { Figures } from '../metrics/figures.ts'
import type { Clock } from '../runtime/clock.ts'
import { openTrustedIssuerStore, type TrustedIssuerStore } from '../trust/trusted-issuer-store.ts'
import { openUserChange, type UserChangeDependencies } from '../users/user-change.ts'
import { openUserStore, type UserStore } from '../users/user-store.ts'
import type { OpenedFamilyStore } from './open-family-store.ts'

/** Handed in, because grants and authentication methods know clients and not the other way. */
const CLIENT_CHOICES = { grants: LISTED_GRANTS, authMethods: AUTHENTICATION_METHODS }

/** Clients with the limits of the configuration; the clock is never behind those of families. */
export function openClients(database: Database, config: ServiceConfig, clock: Clock): ClientStore {
  return openClientStore(clientDependencies(database, config, clock))
}

/** What clients are changed on, by whichever way. */
export function clientDependencies(
  database: Database,
  config: ServiceConfig,
  clock: Clock,
): ClientStoreDependencies {
  return {
    prisma: database.prisma,
    defaults: config,
    choices: { ...CLIENT_CHOICES, signingAlgs: config.signingAlgs },
    reservedId: config.adminClient?.id,
    raiseLongestTokenLife: (tx, seconds) => raiseLongestTokenLife(queryIn(tx), seconds),
    clock,
  }
}

/** The clients in memory, the bootstrap client among them. Rejects with DependencyUnavailable. */
export async function loadClientTable(
  { pool }: Pick<Database, 'pool'>,
  config: ServiceConfig,
  clock: Clock,
): Promise<ClientTable> {
  const bootstrap = config.adminClient && bootstrapClient(config.adminClient, config.issuer, config)
  const source = openClientSource(pool, config)
  const clients = openClientTable({ source, bootstrap, clock })
  await clients.reload()
  return clients
}

/** Trusted issuers, for whose tokens our own issuer is the audience unless they state another. */
export function openTrustedIssuers(
  database: Pick<Database, 'pool'>,
  { issuer }: Pick<ServiceConfig, 'issuer'>,
  clock: Clock,
): TrustedIssuerStore {
  return openTrustedIssuerStore({ database, audience: issuer, clock })
}

/** What the stores of users, of their factors and of their sessions are opened on. */
export interface UserFoundation {
  readonly config: Pick<ServiceConfig, 'rootSecrets'>
  readonly database: Database
  readonly clock: Clock
  readonly figures?: Pick<Figures, 'familyEnds'>
}

/** What users are changed on, by whichever way. */
export function userDependencies(
  { database: { prisma }, clock }: Pick<UserFoundation, 'database' | 'clock'>,
  { store }: Pick<OpenedFamilyStore, 'store'>,
): UserChangeDependencies {
  return {
    prisma,
    clock,
    journalChange: journalUserChange,
    forgetUser: forgetFactors,
    publishChange: store.putUser,
  }
}

/** Users, whose changes reach the families, and the families, which reload their users. */
export function openUsers(
  foundation: UserFoundation,
  { store, journal }: Pick<OpenedFamilyStore, 'store' | 'journal'>,
): { users: UserStore; factors: FactorStore; families: Families } {
  const {
    config: { rootSecrets },
    database: { prisma },
    clock,
    figures,
  } = foundation
  const dependencies = userDependencies(foundation, { store })
  const users = openUserStore(dependencies)
  const changeUser = openUserChange(dependencies)
  return {
    users,
    factors: openFactorStore({ prisma, changeUser, rootSecrets, clock }),
    families: openFamilies({
      ...{ store, journal, loadUser: users.loadRecord, clock },
      onDisplaced: (count) => figures?.familyEnds.addMany(count, 'session_limit'),
    }),
  }
}
