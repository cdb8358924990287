// The files of examples/workload-identity say what works: their values are used with a token of the shape
// that the platform makes, and the page shows the commands that set them up.

import { readFileSync } from 'node:fs'
import { type Test, test } from 'tap'
import { parseAllDocuments } from 'yaml'
import type { IssuerKind } from '../../src/trust/trusted-issuer.ts'
import { expectToken } from '../scenes/assertion-scene.ts'
import { playPlatform, presentToken, trustPlatform } from '../scenes/platform-scene.ts'
import { startApp } from '../support/app.ts'

const ISSUER = 'https://auth.example.com'
const PAGE = readFileSync('docs/workload-identity.md', 'utf8')
const read = (name: string) => readFileSync(`examples/workload-identity/${name}`, 'utf8')

/** The identity that the page gives to the client. */
function identityOf(clientId: string) {
  const line = PAGE.split('\n').find((one) => one.includes(`client create --id ${clientId} `)) ?? ''
  const [, identity = '{}'] = /--federated-identity '(.*)'/.exec(line) ?? []
  return JSON.parse(identity) as { trustedIssuer: string; subject: string }
}

async function checkExample(
  t: Test,
  kind: IssuerKind,
  { clientId, audience, subject }: { clientId: string; audience: string; subject: string },
): Promise<void> {
  const app = await startApp(t, { config: { issuer: ISSUER } })
  const identity = identityOf(clientId)
  t.equal(identity.subject, subject, 'the page and the file name one subject')
  const issuer = /--issuer (\S+)/.exec(
    PAGE.split('\n').find((one) => one.includes(`trust add ${identity.trustedIssuer} `)) ?? '',
  )?.[1]
  const platform = playPlatform(kind, identity.trustedIssuer)
  await trustPlatform(app, kind, { issuer }, platform)
  await app.makeClient({
    ...{ id: clientId, type: 'confidential', grantTypes: ['client_credentials'] },
    ...{ authMethods: ['federated_jwt'], federatedIdentities: [identity] },
  })
  const token = await platform.token({ claims: { aud: [audience], sub: subject } })
  await expectToken(t, await presentToken(app, clientId, token), kind)
}

interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace: string }
  readonly spec?: {
    readonly jobTemplate: { readonly spec: { readonly template: { readonly spec: Pod } } }
  }
}

interface Pod {
  readonly serviceAccountName: string
  readonly automountServiceAccountToken: boolean
  readonly containers: readonly {
    readonly env: readonly { readonly name: string; readonly value: string }[]
    readonly args: readonly string[]
    readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[]
  }[]
  readonly volumes: readonly {
    readonly name: string
    readonly projected: {
      readonly sources: readonly {
        readonly serviceAccountToken: {
          readonly path: string
          readonly audience: string
          readonly expirationSeconds: number
        }
      }[]
    }
  }[]
}

test('the pod of the manifest gets a token', async (t) => {
  const documents = parseAllDocuments(read('kubernetes.yaml')).map((one) => one.toJS() as Manifest)
  const [account, job] = documents
  const pod = job?.spec?.jobTemplate.spec.template.spec
  const [container] = pod?.containers ?? []
  const source = pod?.volumes[0]?.projected.sources[0]?.serviceAccountToken
  t.equal(pod?.serviceAccountName, account?.metadata.name)
  t.equal(pod?.automountServiceAccountToken, false)
  const path = `${container?.volumeMounts[0]?.mountPath}/${source?.path}`
  t.ok(container?.args[0]?.includes(`client_assertion@${path}`))
  t.ok(Number(source?.expirationSeconds) <= 24 * 60 * 60)
  const env = Object.fromEntries(container?.env.map(({ name, value }) => [name, value]) ?? [])
  t.equal(env.LINEAGE_TOKEN_URL, `${ISSUER}/token`)
  await checkExample(t, 'kubernetes', {
    clientId: env.LINEAGE_CLIENT_ID ?? '',
    audience: source?.audience ?? '',
    subject: `system:serviceaccount:${job?.metadata.namespace}:${pod?.serviceAccountName}`,
  })
})

test('the job of GitHub Actions gets a token', async (t) => {
  const [document] = parseAllDocuments(read('github-actions.yaml'))
  const workflow = document?.toJS() as {
    on: { push: { branches: string[] } }
    permissions: Record<string, string>
    jobs: { deploy: { env: Record<string, string>; steps: { run: string }[] } }
  }
  const { env, steps } = workflow.jobs.deploy
  t.equal(workflow.permissions['id-token'], 'write')
  t.match(steps[0]?.run, /audience=\$LINEAGE_ISSUER/)
  await checkExample(t, 'github', {
    clientId: env.LINEAGE_CLIENT_ID ?? '',
    audience: env.LINEAGE_ISSUER ?? '',
    subject: `repo:acme/web:ref:refs/heads/${workflow.on.push.branches[0]}`,
  })
})

test('the workload of SPIRE gets a token', async (t) => {
  const script = read('spiffe.sh')
  const settingOf = (name: string) => new RegExp(`^${name}=(.+)$`, 'm').exec(script)?.[1] ?? ''
  t.match(script, /-audience "\$LINEAGE_ISSUER"/)
  await checkExample(t, 'spiffe', {
    clientId: settingOf('LINEAGE_CLIENT_ID'),
    audience: settingOf('LINEAGE_ISSUER'),
    subject: settingOf('SPIFFE_ID'),
  })
})
