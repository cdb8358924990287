// `lineage client …`: clients and their secrets, by the rules of /admin/clients.

import { type Command, Option } from 'commander'
import { AUTH_METHODS } from '../client-auth/authentication-methods.ts'
import type { Client } from '../clients/client.ts'
import type { ClientInput } from '../clients/client-draft.ts'
import { type AddedSecret, CLIENT_SECRETS_MAX } from '../clients/client-secret.ts'
import { GRANT_TYPES } from '../grants/grants.ts'
import type { ClientManagement } from '../management/client-management.ts'
import type { ClientView } from '../management/client-view.ts'
import { addCommand, parseWholeNumber } from './add-command.ts'
import type { CommandContext, OutputOptions } from './command-context.ts'
import { CommandFailure } from './command-failure.ts'
import { columnsOf, formatRecord, formatTable, printResult } from './command-output.ts'
import { CLI_ACT, withStores } from './command-stores.ts'

const SHOWN_ONCE = 'lineage: the secret is shown this once; nobody can read it again\n'

export function addClientCommands(program: Command, context: CommandContext): void {
  const client = program.command('client').description('clients and their secrets')
  addCreateCommand(client, context)
  addListCommand(client, context)
  addRotateSecretCommand(client, context)
}

/** Named like the members of /admin/clients; an option for a list is repeated. */
interface CreateOptions extends OutputOptions {
  readonly id?: string
  readonly name: string
  readonly type: Client['type']
  readonly grantType: Client['grantTypes']
  readonly scope?: string[]
  readonly defaultScope?: string[]
  readonly audience?: string[]
  readonly authMethod?: string[]
  readonly accessTokenTtlSeconds?: number
  readonly refreshIdleTtlSeconds?: number
  readonly refreshAbsoluteTtlSeconds?: number
  readonly refreshGraceSeconds?: number
  readonly tokenDelivery?: Client['tokenDelivery']
  readonly accessTokenCookie?: boolean
  readonly allowedOrigin?: string[]
  readonly forwardsClientIp?: boolean
  readonly requireFactor?: boolean
}

function addCreateCommand(parent: Command, context: CommandContext): void {
  const types = new Option('--type <type>', 'whether it can keep a secret')
  const grants = new Option('--grant-type <grant...>', 'the grants it may use')
  const methods = new Option('--auth-method <method...>', 'how it proves who it is')
  const delivery = new Option('--token-delivery <where>', 'where refresh tokens travel')
  addCommand(parent, {
    usage: 'create',
    summary: 'make a client; a confidential one gets a secret, shown once',
    examples: [
      'lineage client create --name Jobs --type confidential --grant-type client_credentials --scope jobs:run',
      'lineage client create --id web --name Web --type public --grant-type password refresh_token',
    ],
  })
    .option('--id <slug>', 'an id of your choice; a random one without it')
    .requiredOption('--name <name>', 'what people read')
    .addOption(types.choices(['confidential', 'public']).makeOptionMandatory())
    .addOption(grants.choices(GRANT_TYPES).makeOptionMandatory())
    .option('--scope <scope...>', 'the scopes it may ask for')
    .option('--default-scope <scope...>', 'those of a request that names none')
    .option('--audience <audience...>', 'the services its tokens may be for')
    .addOption(methods.choices(AUTH_METHODS))
    .option('--access-token-ttl-seconds <n>', 'life of access tokens', parseWholeNumber)
    .option('--refresh-idle-ttl-seconds <n>', 'unused sessions end after it', parseWholeNumber)
    .option('--refresh-absolute-ttl-seconds <n>', 'every session ends after it', parseWholeNumber)
    .option('--refresh-grace-seconds <n>', 'time to repeat a refresh', parseWholeNumber)
    .addOption(delivery.choices(['body', 'cookie']))
    .option('--access-token-cookie', 'the access token in a cookie too')
    .option('--allowed-origin <origin...>', 'the web origins that may call with cookies')
    .option('--forwards-client-ip', 'it may name the address of whoever logs in')
    .option('--require-factor', 'only users with a second factor may log in there')
    .action((options: CreateOptions) => createClient(options, context))
}

async function createClient(options: CreateOptions, context: CommandContext): Promise<void> {
  await withStores(context, async ({ clients }) => {
    const id = options.id !== undefined && { id: options.id }
    const client = await clients.create({ ...toInput(options), ...id }, CLI_ACT)
    printResult(context, options, client, formatRecord({ ...client, secrets: undefined }))
    if (client.clientSecret !== undefined) context.stderr.write(SHOWN_ONCE)
  })
}

function toInput(options: CreateOptions): Required<ClientInput> {
  return {
    name: options.name,
    type: options.type,
    grantTypes: options.grantType,
    scopes: options.scope,
    defaultScopes: options.defaultScope,
    audiences: options.audience,
    authMethods: options.authMethod,
    accessTokenTtlSeconds: options.accessTokenTtlSeconds,
    refreshIdleTtlSeconds: options.refreshIdleTtlSeconds,
    refreshAbsoluteTtlSeconds: options.refreshAbsoluteTtlSeconds,
    refreshGraceSeconds: options.refreshGraceSeconds,
    tokenDelivery: options.tokenDelivery,
    accessTokenCookie: options.accessTokenCookie,
    allowedOrigins: options.allowedOrigin,
    forwardsClientIp: options.forwardsClientIp,
    requireFactor: options.requireFactor,
  }
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
