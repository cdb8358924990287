// The secrets of stored clients: at most two, so that the old one works until its users have the
// new one, and never none for a client that proves itself by one.

import { randomUUID } from 'node:crypto'
import { type ClientStoreDependencies, inChange, lockClient } from './client-change.ts'
import { usesSecret } from './client-choices.ts'
import {
  type AddedSecret,
  CLIENT_SECRETS_MAX,
  hashClientSecret,
  newClientSecret,
} from './client-secret.ts'

export interface ClientSecretStore {
  /** `refused` for a third secret and for a public client; undefined for an unknown id. */
  addSecret(id: string): Promise<AddedSecret | 'refused' | undefined>
  /** `refused` for the last one of a client that uses one; false when there was nothing. */
  removeSecret(id: string, secretId: string): Promise<boolean | 'refused'>
}

export function openClientSecretStore(
  dependencies: Pick<ClientStoreDependencies, 'prisma' | 'clock' | 'choices'>,
): ClientSecretStore {
  const { prisma, clock, choices } = dependencies
  return {
    async addSecret(id) {
      return await inChange(prisma, async (tx) => {
        const client = await lockClient(tx, id)
        if (!client) return undefined
        const { type, secrets } = client
        if (type === 'public' || secrets.length >= CLIENT_SECRETS_MAX) return 'refused'
        const clientSecret = newClientSecret()
        const row = secretRow(clientSecret, new Date(clock()))
        await tx.clientSecret.create({ data: { ...row, clientId: id } })
        return { id: row.id, clientSecret, createdAt: row.createdAt }
      })
    },

    async removeSecret(id, secretId) {
      return await inChange(prisma, async (tx) => {
        const client = await lockClient(tx, id)
        if (!client?.secrets.some((secret) => secret.id === secretId)) return false
        if (usesSecret(client, choices) && client.secrets.length === 1) return 'refused'
        await tx.clientSecret.delete({ where: { id: secretId } })
        return true
      })
    },
  }
}

/** The row of a new secret, without the client's id. */
export function secretRow(clientSecret: string, createdAt: Date) {
  return { id: randomUUID(), hash: new Uint8Array(hashClientSecret(clientSecret)), createdAt }
}
