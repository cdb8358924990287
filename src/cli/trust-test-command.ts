// `lineage trust test`: why a token of somebody else would be accepted or not, check by check. No token is
// asked for and nothing is used up; keys are fetched as the service would where they are published.

import type { Command } from 'commander'
import { openRemoteKeys } from '../assertions/remote-keys.ts'
import { matchFederation } from '../clients/client-federation.ts'
import { toPrintable } from '../runtime/printable.ts'
import { explainTrustedToken, type TrustFinding } from '../trust/check-trusted-token.ts'
import { addCommand } from './add-command.ts'
import type { CommandContext, OutputOptions } from './command-context.ts'
import { CommandFailure } from './command-failure.ts'
import { formatTable, printResult } from './command-output.ts'
import { type CommandStores, withStores } from './command-stores.ts'
import { readSecretLine } from './secret-input.ts'

interface TestOptions extends OutputOptions {
  readonly client?: string
}

interface Report {
  readonly ok: boolean
  readonly trustedIssuer: string | null
  readonly subject: string | null
  readonly findings: readonly { readonly check: string; readonly problem: string | null }[]
}

export function addTrustTestCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    usage: 'test',
    summary: 'say check by check why a token is accepted or not; nothing is used up',
    examples: ['lineage trust test - --client nightly < token', 'lineage trust test TOKEN --json'],
  })
    .argument('<token>', 'the token, or - for a line of standard input')
    .option('--client <id>', 'the client that it is to prove')
    .action((given: string, options: TestOptions) =>
      withStores(context, async (stores) => {
        const token = given === '-' ? await readSecretLine(context, 'token') : given
        const report = await testToken(token, options, stores)
        const rows = report.findings.map(({ check, problem }) => ({
          check,
          result: problem ?? 'ok',
        }))
        const about = `${report.trustedIssuer ?? '-'}  ${toPrintable(report.subject ?? '-')}`
        const text = `${formatTable(rows, ['check', 'result'])}\n${about}`
        printResult(context, options, report, text)
        if (!report.ok) throw new CommandFailure('the token is refused', { isReported: true })
      }),
    )
}

async function testToken(
  text: string,
  { client }: TestOptions,
  { trust, clients, clock }: CommandStores,
): Promise<Report> {
  const issuers = await trust.listAll()
  const findByIssuer = (issuer: string) => issuers.find((one) => one.issuer === issuer)
  const remoteKeys = openRemoteKeys({ onFailed: () => {} })
  const services = { trustedIssuers: { findByIssuer }, remoteKeys, clock }
  const { findings, token } = await explainTrustedToken(text, services)
  const all: TrustFinding[] = [...findings]
  if (token && client !== undefined) {
    const { issuer, jwt, subject } = token
    const found = await clients.find(client)
    const match = matchFederation(found, issuer.id, { ...jwt.claims, sub: subject })
    const isListed = found.authMethods.includes('federated_jwt')
    all.push({ check: 'identity of the client', problem: match === 'matches' ? undefined : match })
    all.push({ check: 'method of the client', problem: isListed ? undefined : 'issuer_not_listed' })
  }
  return {
    ok: all.every(({ problem }) => problem === undefined),
    trustedIssuer: token?.issuer.id ?? null,
    subject: token?.subject ?? null,
    findings: all.map(({ check, problem = null }) => ({ check, problem })),
  }
}
