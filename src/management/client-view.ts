// A client as administrators see it: everything but the hashes of its secrets.

import type { Client } from '../clients/client.ts'

export interface ClientView extends Omit<Client, 'sessionsValidFrom' | 'secrets'> {
  readonly secrets: readonly { readonly id: string; readonly createdAt: Date }[]
}

export function toClientView({ sessionsValidFrom: _, ...client }: Client): ClientView {
  return { ...client, secrets: client.secrets.map(({ id, createdAt }) => ({ id, createdAt })) }
}
