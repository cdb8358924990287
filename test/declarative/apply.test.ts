// `lineage apply` on a real database: every kind made, changed and left alone, what is refused before anything
// is changed, what fails in the middle, and secrets that are nowhere to be seen.

import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Test, test } from 'tap'
import { makeKeyPairSync } from '../../src/runtime/key-pair.ts'
import {
  CLIENT_SECRET,
  openDeclarativeScene,
  publicClient,
  resource,
  WEBHOOK_SECRET,
} from '../scenes/declarative-scene.ts'
import { readEvents } from '../support/audit.ts'

const HOOK = { url: 'https://hooks.example.com/a', events: ['user.created'] }
const ISSUER = {
  issuer: 'https://idp.example.com',
  kind: 'oidc',
  jwks: {
    keys: [
      {
        ...makeKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }),
        kid: 'one',
      },
    ],
  },
}
const PRIVATE_KEY = {
  ...makeKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
  kid: 'private',
}
const SERVICE = { name: 'Jobs', type: 'confidential', grantTypes: ['client_credentials'] }

const all = (labels?: object) => [
  resource('Webhook', 'desk', HOOK, { secretFrom: { env: 'A_WEBHOOK_SECRET' } }),
  resource('User', 'Ada', { email: 'ada@example.com', roles: ['editor'] }),
  resource('Client', 'jobs', SERVICE, {
    secretFrom: { env: 'A_CLIENT_SECRET' },
    ...(labels && { labels }),
  }),
  resource('TrustedIssuer', 'idp', ISSUER),
]

/** Nothing of a secret, nor of what it is stored as. */
function showsNoSecret(t: Test, ...texts: string[]): void {
  for (const text of texts) {
    t.notMatch(text, CLIENT_SECRET)
    t.notMatch(text, WEBHOOK_SECRET)
    t.notMatch(text, String(PRIVATE_KEY.d))
    t.notMatch(text, /argon2|\\x[0-9a-f]{20}/)
  }
}

test('all kinds are made, in order; the second time nothing is written', async (t) => {
  const { app, apply, snapshot, env } = await openDeclarativeScene(t)
  const before = await snapshot()
  const planned = await apply(all({ team: 'jobs' }), ['--dry-run'])
  t.equal(planned.code, 2, planned.stderr)
  t.match(planned.stdout, /\+ secret: will be set[\s\S]*Plan: 4 to make, 0 to change/)
  t.equal(await snapshot(), before, 'a dry run writes nothing')

  const made = await apply(all({ team: 'jobs' }))
  t.equal(made.code, 0, made.stderr)
  t.strictSame(made.stdout.trim().split('\n').slice(-4), [
    'TrustedIssuer idp created',
    'Client jobs created',
    'User Ada created',
    'Webhook desk created',
  ])
  const events = await readEvents(app)
  for (const type of [
    'trusted_issuer.created',
    'client.created',
    'user.created',
    'webhook.created',
  ]) {
    t.match(
      events.find((event) => event.type === type),
      { detail: { by: 'lineage:apply' } },
      type,
    )
  }

  const settled = await snapshot()
  const again = await apply(all({ team: 'jobs' }))
  t.equal(again.code, 0)
  t.match(
    again.stdout,
    /^Plan: 0 to make, 0 to change, 0 to remove, 0 to disable, 4 as they are\n$/,
  )
  t.equal((await apply(all({ team: 'jobs' }), ['--dry-run'])).code, 0)
  t.equal(await snapshot(), settled, 'not a version rises')
  t.equal((await readEvents(app)).length, events.length, 'and nothing is recorded')
  const json = await apply(all({ team: 'jobs' }), ['--json'])
  t.match(JSON.parse(json.stdout), { changes: [], unchanged: 4, kept: [], outcomes: [] })

  const token = await app.form('/token', {
    ...{ grant_type: 'client_credentials', client_id: 'jobs', client_secret: env.A_CLIENT_SECRET },
  })
  t.equal(token.status, 200, 'the secret of the environment is that of the client')
  const log = app.log.map((line) => JSON.stringify(line))
  showsNoSecret(
    t,
    planned.stdout,
    made.stdout,
    made.stderr,
    json.stdout,
    ...log,
    JSON.stringify(events),
  )
  t.notMatch(settled, CLIENT_SECRET, 'a hash is stored')
})

test('what is different is told field by field and changed; what is not said has its default', async (t) => {
  const { app, apply } = await openDeclarativeScene(t)
  const labelled = publicClient(
    'web',
    { scopes: ['a', 'b'], accessTokenTtlSeconds: 90 },
    { team: 'x' },
  )
  await apply(labelled)
  const changed = await apply(
    publicClient('web', { name: 'The Web', scopes: ['b', 'c'] }, { team: 'y' }),
  )
  t.equal(changed.code, 0, changed.stderr)
  for (const line of [
    '    ~ metadata.labels.team: "x" -> "y"',
    '    ~ spec.name: "web" -> "The Web"',
    '    - spec.scopes: "a"',
    '    + spec.scopes: "c"',
    '    - spec.accessTokenTtlSeconds: 90',
  ]) {
    t.ok(changed.stdout.split('\n').includes(line), line)
  }
  t.match(await (await app.admin('GET', '/admin/clients/web')).json(), {
    ...{ name: 'The Web', scopes: ['b', 'c'], accessTokenTtlSeconds: 600 },
  })
  const [event] = await readEvents(app, '&type=client.updated')
  t.strictSame(event?.detail?.changed, ['name', 'scopes', 'accessTokenTtlSeconds', 'labels'])

  await app.admin('PATCH', '/admin/clients/web', { name: 'By hand' })
  const drift = await apply(
    publicClient('web', { name: 'The Web', scopes: ['b', 'c'] }, { team: 'y' }),
    ['--dry-run'],
  )
  t.equal(drift.code, 2)
  t.match(drift.stdout, '~ spec.name: "By hand" -> "The Web"')
  const json = await apply(publicClient('web', { scopes: ['b', 'c'] }), ['--dry-run', '--json'])
  t.match(JSON.parse(json.stdout), {
    changes: [{ kind: 'Client', name: 'web', action: 'update' }],
  })
})

test('a user has no password, and keeps what the file does not say', async (t) => {
  const { app, apply, query, run } = await openDeclarativeScene(t)
  const spec = { email: 'ada@example.com', roles: ['editor'] }
  await apply(resource('User', 'ada', spec))
  const client = await app.makeClient({})
  for (const password of ['', 'ada', 'correct horse']) {
    const login = await app.form('/token', {
      ...{ grant_type: 'password', client_id: client.id, username: 'ada', password },
    })
    t.not(login.status, 200)
  }
  const [{ id = '' } = {}] = await query<{ id: string }>('SELECT id FROM users')
  await app.admin('PATCH', `/admin/users/${id}`, { status: 'disabled', emailVerified: true })
  t.equal((await apply(resource('User', 'Ada', { ...spec, roles: ['viewer'] }))).code, 0)
  t.match(await (await app.admin('GET', `/admin/users/${id}`)).json(), {
    ...{ username: 'Ada', roles: ['viewer'], status: 'disabled', emailVerified: true },
  })
  const moved = await apply(resource('User', 'ADA', { email: 'new@example.com', status: 'active' }))
  t.match(moved.stdout, '~ spec.emailVerified: true -> false')
  t.match(await (await app.admin('GET', `/admin/users/${id}`)).json(), {
    ...{ username: 'ADA', email: 'new@example.com', emailVerified: false, status: 'active' },
  })
  t.equal((await run(['user', 'set-password', 'ada'], 'correct horse battery\n')).code, 0)
  const login = await app.form('/token', {
    ...{
      grant_type: 'password',
      client_id: client.id,
      username: 'ada',
      password: 'correct horse battery',
    },
  })
  t.equal(login.status, 200, 'until it is set')
})

test('another secret is added to that of a client, and the older of two makes room', async (t) => {
  const { app, apply, write, query } = await openDeclarativeScene(t)
  const secretOf = (name: string) => `${name}${'x'.repeat(40)}`
  const jobs = resource('Client', 'jobs', SERVICE, { secretFrom: { file: 'jobs.secret' } })
  const use = async (name: string) => {
    await write('jobs.secret', `${secretOf(name)}\n`)
    return await apply(jobs)
  }
  const works = async (name: string) =>
    (
      await app.form('/token', {
        ...{ grant_type: 'client_credentials', client_id: 'jobs', client_secret: secretOf(name) },
      })
    ).status === 200
  t.match((await use('first')).stdout, '+ secret: will be set\n')
  const second = await use('second')
  t.match(second.stdout, '~ secret: will be set, and the one before stays')
  t.strictSame((await query('SELECT 1 FROM client_secrets')).length, 2)
  await use('third')
  await app.service.clients.refresh('jobs')
  t.strictSame(
    [await works('first'), await works('second'), await works('third')],
    [false, true, true],
  )
  t.match((await use('second')).stdout, /1 as they are/, 'one that is there is no change')
  const types = (await readEvents(app)).map(({ type }) => type)
  t.equal(types.filter((type) => type === 'client.secret_added').length, 2)
  t.equal(types.filter((type) => type === 'client.secret_removed').length, 1)
  const without = await apply(resource('Client', 'jobs', SERVICE))
  t.match(without.stdout, /1 as they are/, 'without secretFrom they stay')
})

test('another secret of a webhook signs from now on, beside the one before', async (t) => {
  const { app, apply, write, query } = await openDeclarativeScene(t)
  const hook = (name: string) =>
    resource('Webhook', name, HOOK, { secretFrom: { file: 'desk.secret' } })
  const use = async (byte: number) => {
    await write('desk.secret', `whsec_${Buffer.alloc(32, byte).toString('base64')}`)
    return await apply(hook('desk'))
  }
  await use(1)
  t.match((await use(1)).stdout, /1 as they are/)
  t.match((await use(2)).stdout, '~ secret: will be set')
  t.match((await use(2)).stdout, /1 as they are/)
  t.equal((await readEvents(app, '&type=webhook.secret_rotated')).length, 1)
  const [{ id = '' } = {}] = await query<{ id: string }>('SELECT id FROM webhooks')
  const byId = await apply(resource('Webhook', id, { ...HOOK, description: 'By its id' }))
  t.match(byId.stdout, '~ spec.description: "" -> "By its id"')
  t.match(await (await app.admin('GET', `/admin/webhooks/${id}`)).json(), {
    description: 'By its id',
  })
  const twice = await apply([hook('desk'), hook(id)])
  t.match(twice, { code: 1, stdout: /is defined in .*resources.yaml:1 already/ })
})

test('whatever is wrong is told at once, and nothing is changed', async (t) => {
  const { app, apply, write, run, snapshot } = await openDeclarativeScene(t)
  await app.makeUser({ username: 'grace', email: 'grace@example.com' })
  t.equal((await apply(resource('TrustedIssuer', 'idp', ISSUER))).code, 0)
  const before = await snapshot()
  await write('short.secret', 'short')
  await write('empty.secret', '\n')
  const cases: [object | object[], RegExp][] = [
    [
      publicClient('web', { grantTypes: ['client_credentials'] }),
      /Client web: \/spec\/grantTypes must not have/,
    ],
    [publicClient('bootstrap-admin'), /\/metadata\/name is that of the bootstrap client/],
    [[publicClient('web'), publicClient('web')], /\/metadata\/name is defined in .*:1 already/],
    [
      resource('Client', 'jobs', {
        ...{ ...SERVICE, authMethods: ['private_key_jwt'] },
        jwks: { keys: [PRIVATE_KEY] },
      }),
      /Client jobs: \/spec\/jwks/,
    ],
    [
      resource('TrustedIssuer', 'keyed', {
        ...{ ...ISSUER, issuer: 'https://keyed.example.com' },
        jwks: { keys: [PRIVATE_KEY] },
      }),
      /TrustedIssuer keyed: \/spec\/jwks/,
    ],
    [resource('Client', 'jobs', SERVICE), /\/secretFrom is required/],
    [
      resource('Client', 'jobs', SERVICE, { secretFrom: { env: 'NOT_SET' } }),
      /\/secretFrom\/env names a variable that is not set/,
    ],
    [
      resource('Client', 'jobs', SERVICE, { secretFrom: { file: 'none' } }),
      /\/secretFrom\/file names a file that cannot be read \(ENOENT\)/,
    ],
    [
      resource('Client', 'jobs', SERVICE, { secretFrom: { file: 'empty.secret' } }),
      /names a file that is empty/,
    ],
    [
      resource('Client', 'jobs', SERVICE, { secretFrom: { file: 'short.secret' } }),
      /\/secretFrom must be 32 to 1024 printable/,
    ],
    [
      { ...publicClient('web'), secretFrom: { env: 'A_CLIENT_SECRET' } },
      /\/secretFrom is of no use/,
    ],
    [resource('Webhook', 'desk', HOOK), /\/secretFrom is required/],
    [
      resource('Webhook', 'desk', HOOK, { secretFrom: { env: 'A_CLIENT_SECRET' } }),
      /\/secretFrom must be whsec_/,
    ],
    [
      resource(
        'Webhook',
        'desk',
        { ...HOOK, url: 'http://10.0.0.1/' },
        { secretFrom: { env: 'A_WEBHOOK_SECRET' } },
      ),
      /\/spec\/url/,
    ],
    [
      resource('TrustedIssuer', 'idp', { ...ISSUER, issuer: 'https://other.example.com' }),
      /\/spec\/issuer never changes/,
    ],
    [resource('TrustedIssuer', 'idp', { ...ISSUER, kind: 'github' }), /\/spec\/kind never changes/],
    [
      resource('TrustedIssuer', 'idp-two', ISSUER),
      /\/spec\/issuer is that of another trusted issuer/,
    ],
    [
      resource('User', 'ada', { email: 'GRACE@example.com' }),
      /\/spec\/email is that of another user/,
    ],
    [
      [
        resource('User', 'ada', { email: 'a@example.com' }),
        resource('User', 'bob', { email: 'A@example.com' }),
      ],
      /\/spec\/email is that of another user/,
    ],
    [
      [
        resource('User', 'ada', { email: 'a@example.com' }),
        resource('User', 'ADA', { email: 'b@example.com' }),
      ],
      /User ADA: \/metadata\/name is defined/,
    ],
    [
      resource('User', 'grace', {
        email: 'grace@example.com',
        id: '11111111-1111-4111-8111-111111111111',
      }),
      /\/spec\/id is not the id of the user/,
    ],
    [
      resource('User', 'ada', { email: 'a@example.com', roles: ['x', 'x'] }),
      /\/spec\/roles must NOT have duplicate items/,
    ],
  ]
  for (const [content, expected] of cases) {
    const list = Array.isArray(content) ? content : [content]
    const refused = await apply([publicClient('innocent'), ...list])
    t.equal(refused.code, 1, String(expected))
    t.match(refused.stdout, expected)
    showsNoSecret(t, refused.stdout, refused.stderr)
  }
  const both = [publicClient('one', { scopes: ['a b'] }), resource('Client', 'jobs', SERVICE)]
  const json = JSON.parse((await apply(both, ['--json'])).stdout)
  t.match(
    json,
    { problems: [{ resource: 'Client one' }, { resource: 'Client jobs' }] },
    'all of it',
  )
  t.equal(await snapshot(), before)
  const files = [
    await write('one.yaml', publicClient('web')),
    await write('two.yaml', [publicClient('native'), publicClient('web')]),
  ]
  const repeated = await run(['apply', '-f', ...files])
  t.match(repeated, { code: 1, stdout: /two\.yaml:1: Client web: .* is defined in .*one\.yaml:1/ })
  const usages = [
    ['apply'],
    ['apply', '-f', 'x', '--prune'],
    ['apply', '-f', 'x', '--label', 'team'],
  ]
  for (const args of usages) t.equal((await run(args)).code, 2, args.join(' '))
})

test('what fails in the middle is told; the others are done, and a repetition does the rest', async (t) => {
  const { apply, query } = await openDeclarativeScene(t)
  await query(`CREATE FUNCTION refuse() RETURNS trigger AS
    $$ BEGIN RAISE unique_violation; END $$ LANGUAGE plpgsql`)
  await query(`CREATE TRIGGER refuse BEFORE INSERT ON clients FOR EACH ROW
    WHEN (NEW.id = 'second') EXECUTE FUNCTION refuse()`)
  const resources = ['first', 'second', 'third'].map((name) => publicClient(name))
  const failed = await apply(resources)
  t.equal(failed.code, 1)
  t.match(
    failed.stdout,
    /Client first created\nClient second failed: id is taken already\nClient third created\n/,
  )
  t.match(failed.stderr, 'changes that are not done: 1; the same command again goes on from there')
  await query('DROP TRIGGER refuse ON clients')
  const again = await apply(resources)
  t.equal(again.code, 0, again.stderr)
  t.match(again.stdout, /Plan: 1 to make, .* 2 as they are\nClient second created/)
})

test('two at once follow each other, and the second finds nothing left to do', async (t) => {
  const { app, write, run } = await openDeclarativeScene(t)
  const path = await write(
    'many.yaml',
    Array.from({ length: 20 }, (_, i) => publicClient(`client-${i}`)),
  )
  const both = await Promise.all([run(['apply', '-f', path]), run(['apply', '-f', path])])
  t.strictSame(
    both.map(({ code }) => code),
    [0, 0],
  )
  const plans = both.map(({ stdout }) => /Plan: (\d+) to make/.exec(stdout)?.[1]).sort()
  t.strictSame(plans, ['0', '20'])
  t.equal((await readEvents(app, '&type=client.created')).length, 20)
})

test('the example is applied, from standard input as well', async (t) => {
  const { env, write, run } = await openDeclarativeScene(t)
  const text = readFileSync('deploy/declarative/lineage.yaml', 'utf8')
  const path = await write('lineage.yaml', text)
  await mkdir(join(dirname(path), 'secrets'))
  await writeFile(join(dirname(path), 'secrets/order-service'), CLIENT_SECRET)
  const { runHere } = await import('../support/command-line.ts')
  const withHook = { ...env, SECURITY_DESK_WEBHOOK_SECRET: WEBHOOK_SECRET }
  const applied = await runHere(withHook, ['apply', '-f', path])
  t.equal(applied.code, 0, applied.stdout + applied.stderr)
  t.match(applied.stdout, 'Plan: 6 to make')
  const piped = text.replace('secrets/order-service', join(dirname(path), 'secrets/order-service'))
  const again = await runHere(withHook, ['apply', '-f', '-', '--dry-run'], piped)
  t.equal(again.code, 0, again.stdout + again.stderr)
  t.equal(
    (await run(['apply', '--schema'])).stdout,
    readFileSync('deploy/lineage.schema.json', 'utf8'),
  )
})
