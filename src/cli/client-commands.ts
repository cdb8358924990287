// `lineage client …`: clients and their secrets, by the rules of /admin/clients.

import type { Command } from 'commander'
import { type AddedSecret, CLIENT_SECRETS_MAX } from '../clients/client-secret.ts'
import type { ClientManagement } from '../management/client-management.ts'
import type { ClientView } from '../management/client-view.ts'
import { addCommand } from './add-command.ts'
import { addCreateCommand, SHOWN_ONCE } from './client-create-command.ts'
import type { CommandContext, OutputOptions } from './command-context.ts'
import { CommandFailure } from './command-failure.ts'
import { columnsOf, formatRecord, formatTable, printResult } from './command-output.ts'
import { CLI_ACT, withStores } from './command-stores.ts'

export function addClientCommands(program: Command, context: CommandContext): void {
  const client = program.command('client').description('clients and their secrets')
  addCreateCommand(client, context)
  addListCommand(client, context)
  addRotateSecretCommand(client, context)
}

const COLUMNS = columnsOf<ClientView>({
  id: true,
  name: true,
  type: true,
  grantTypes: true,
  scopes: true,
  secrets: true,
  createdAt: true,
  defaultScopes: false,
  audiences: false,
  authMethods: false,
  accessTokenTtlSeconds: false,
  refreshIdleTtlSeconds: false,
  refreshAbsoluteTtlSeconds: false,
  refreshGraceSeconds: false,
  tokenDelivery: false,
  accessTokenCookie: false,
  allowedOrigins: false,
  forwardsClientIp: false,
  requireFactor: false,
  jwks: false,
  jwksUri: false,
  allowPrivateNetwork: false,
  assertionAlgs: false,
  federatedIdentities: false,
  exchange: false,
  dpopBoundAccessTokens: false,
  tlsClientAuth: false,
  tlsClientCertificateBoundAccessTokens: false,
  refreshRotation: false,
  refreshRotateAfterSeconds: false,
  signingAlg: false,
  updatedAt: false,
})

function addListCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    usage: 'list',
    summary: 'list the clients, oldest first, without the bootstrap client of the environment',
    examples: ['lineage client list', 'lineage client list --json'],
  }).action((options: OutputOptions) =>
    withStores(context, async ({ clients }) => {
      const all = await clients.listAll()
      const rows = all.map((client) => ({ ...client, secrets: client.secrets.length }))
      printResult(context, options, all, formatTable(rows, COLUMNS))
    }),
  )
}

interface RotateOptions extends OutputOptions {
  readonly dropOldest?: boolean
}

function addRotateSecretCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    usage: 'rotate-secret',
    summary: 'give a client one more secret, shown once; the one before goes on working',
    examples: [
      'lineage client rotate-secret jobs',
      'lineage client rotate-secret jobs --drop-oldest',
    ],
  })
    .argument('<id>', 'the id of the client')
    .option('--drop-oldest', 'the oldest secret of the client stops working')
    .action((id: string, options: RotateOptions) =>
      withStores(context, async ({ clients }) => {
        const added = await rotateSecret(id, options, clients)
        printResult(context, options, added, formatRecord(added))
        context.stderr.write(SHOWN_ONCE)
      }),
    )
}

/** Throws CommandFailure where there is no room for a secret, else what management throws. */
async function rotateSecret(
  id: string,
  { dropOldest = false }: RotateOptions,
  clients: ClientManagement,
): Promise<AddedSecret> {
  const { type, secrets } = await clients.find(id)
  if (type === 'public') throw new CommandFailure('a public client has no secret')
  const [oldest] = secrets
  const isFull = secrets.length >= CLIENT_SECRETS_MAX
  if (isFull && !dropOldest) {
    throw new CommandFailure('it has two secrets already: --drop-oldest ends the older one')
  }
  const drop = async () => {
    if (dropOldest && oldest) await clients.removeSecret(id, oldest.id, CLI_ACT)
  }
  // A client always keeps one secret and has at most two, so with two the oldest is removed first.
  if (isFull) await drop()
  const added = await clients.addSecret(id, CLI_ACT)
  if (!isFull) await drop()
  return added
}
