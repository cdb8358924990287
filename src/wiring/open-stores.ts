// The stores of clients, users and sessions, put together in one way for the service and for the
// command line.

import { type ClientStore, openClientStore } from '../clients/client-store.ts'
import type { ServiceConfig } from '../config/service-config.ts'
import type { Database } from '../database/database.ts'
import { type Families, openFamilies } from '../families/families.ts'
import { journalUserChange } from '../families/postgres/postgres-journal.ts'
import { raiseLongestTokenLife } from '../keys/key-rows.ts'
import type { Clock } from '../runtime/clock.ts'
import { openUserStore, type UserStore } from '../users/user-store.ts'
import type { OpenedFamilyStore } from './open-family-store.ts'

/** Clients with the limits of the configuration; the clock is never behind those of families. */
export function openClients(database: Database, config: ServiceConfig, clock: Clock): ClientStore {
  return openClientStore({
    prisma: database.prisma,
    defaults: config,
    reservedId: config.adminClient?.id,
    raiseLongestTokenLife,
    clock,
  })
}

/** Users, whose changes reach the families, and the families, which reload their users. */
export function openUsers(
  database: Database,
  { store, journal }: Pick<OpenedFamilyStore, 'store' | 'journal'>,
  clock: Clock,
): { users: UserStore; families: Families } {
  const users = openUserStore({
    prisma: database.prisma,
    clock,
    journalChange: journalUserChange,
    publishChange: ({ record }) => store.putUser(record),
  })
  return { users, families: openFamilies({ store, journal, loadUser: users.loadRecord, clock }) }
}
