// What `lineage doctor --url` says of what the proxy tells the service about the caller: address, scheme,
// host and certificate, and whether it believes a caller who tells lies about them. One request
// names a client and proves nothing, which counts as no attempt; what the service saw is read in its event.

import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { guardDatabase } from '../../database/database.ts'
import { parseIpAddress } from '../../runtime/ip-address.ts'
import { type AddressScene, challengeError } from './address-scene.ts'
import { type MakeProof, NO_TOKEN } from './doctor-proof.ts'
import { type Finding, fail, ok, skip, warn } from './finding.ts'

const CALLER = 'caller address'
const CERTIFICATE = 'certificate header'
const TARGET = 'told scheme and host'
const SPOOFED_TARGET = 'told target'
/** RFC 5737: nobody has it. */
const SPOOFED_IP = '192.0.2.44'
const PATIENCE_MS = 5_000
/** An event that was written since then without our name is the one that ours went into. */
const MERGED_AFTER_MS = 1_500
const POLL_MS = 200

export async function examineForwarded(
  scene: AddressScene,
  prove: MakeProof,
  hasVerify: boolean,
): Promise<Finding[]> {
  return [
    ...(await examineCaller(scene)),
    ...(hasVerify
      ? await examineTargets(scene, prove)
      : [skip(TARGET, '/verify is not at this address')]),
  ]
}

interface Seen {
  readonly ip: string | null
  readonly reason: string | null
}

async function examineCaller(scene: AddressScene): Promise<Finding[]> {
  const { address, config, database, userAgent } = scene
  if (!database) return [skip(CALLER, 'PostgreSQL, where the service notes it, is not to be had')]
  const client = await findCertificateClient(database)
  const header = config.certificateHeader
  const forged =
    header === 'off' ? {} : { [header.name]: header.form === 'pem' ? 'AAAA' : ':AAAA:' }
  const { localAddress } = await address.ask({
    path: '/token',
    form: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: client ?? 'lineage-doctor',
    }).toString(),
    headers: {
      'x-forwarded-for': SPOOFED_IP,
      'x-real-ip': SPOOFED_IP,
      forwarded: `for=${SPOOFED_IP}`,
      ...forged,
    },
  })
  const seen = await waitForEvent(database, userAgent)
  if (!seen) {
    const detail =
      'no event of our request: another failed in the same minute from the same network (ask ' +
      'again in a minute), or what answers has another database'
    return [skip(CALLER, detail), skip(CERTIFICATE, 'the same')]
  }
  return [judgeCaller(seen.ip ?? '', localAddress, scene), judgeCertificate(seen, client, scene)]
}

function judgeCaller(seen: string, own: string, { config }: AddressScene): Finding {
  const here = parseIpAddress(own) ?? own
  const trusted = openList(config.trustProxy)
  const overwrite = 'let the proxy overwrite X-Forwarded-For with the address of its caller'
  if (seen === SPOOFED_IP) {
    return trusted(here)
      ? warn(
          CALLER,
          'what this machine says is believed, which is itself in LINEAGE_TRUST_PROXY',
          `ask from a machine that is not; and ${overwrite}`,
        )
      : fail(CALLER, 'the service believes a made-up X-Forwarded-For', overwrite)
  }
  if (seen === here) return ok(CALLER, `the service sees ${seen}, whatever the caller says`)
  if (openList(PRIVATE)(seen)) {
    const advice =
      `if ${seen} is a proxy, name it in LINEAGE_TRUST_PROXY, and ${overwrite}: ` +
      'until then everybody is one source to the throttle'
    return warn(CALLER, `the service sees ${seen} for this machine, which is ${here} there`, advice)
  }
  return ok(CALLER, `the service sees ${seen}, not what the caller says; compare it with yours`)
}

function judgeCertificate(
  { reason }: Seen,
  client: string | undefined,
  { config: { certificateHeader, trustProxy } }: AddressScene,
): Finding {
  if (certificateHeader === 'off') return ok(CERTIFICATE, 'off: none is believed')
  if (trustProxy.length === 0) return ok(CERTIFICATE, 'no proxy is trusted, so none is believed')
  if (client === undefined) return skip(CERTIFICATE, 'no client is known by a certificate')
  return reason === 'client_certificate_missing'
    ? ok(CERTIFICATE, `a caller's own ${certificateHeader.name} does not arrive`)
    : fail(
        CERTIFICATE,
        `a caller's own ${certificateHeader.name} is believed (${reason})`,
        'let the proxy overwrite or remove it on every request: a certificate is no secret',
      )
}

/** A proof for the request that the proxy would have told of is good; any other is refused. */
async function examineTargets(
  { address, config, clock }: AddressScene,
  prove: MakeProof,
): Promise<Finding[]> {
  const isBelieved = async (path: string, url: string, headers: Record<string, string> = {}) => {
    const proof = prove({ method: 'GET', url, atMs: clock(), hasToken: true })
    const authorization = `DPoP ${NO_TOKEN}`
    const answer = await address.ask({ path, headers: { ...headers, authorization, dpop: proof } })
    return ['invalid_token', 'use_dpop_nonce'].includes(challengeError(answer) ?? '')
  }
  const { protocol, host } = new URL(config.issuer)
  const told = await isBelieved('/verify/doctor', `${protocol}//${host}/doctor`)
  const kept = told && (await isBelieved('/verify/a%2Fb', `${protocol}//${host}/a%2Fb`))
  const spoofed = await isBelieved('/verify', 'https://doctor.invalid/spoofed', {
    'x-forwarded-method': 'GET',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'doctor.invalid',
    'x-forwarded-uri': '/spoofed',
  })
  const remove =
    'overwrite or remove X-Forwarded-Method, -Proto, -Host and -Uri of the caller: a gateway ' +
    'that passes them on would take a proof for another request'
  return [
    told && !kept
      ? warn(
          TARGET,
          'a path with %2F does not arrive as it was sent',
          'pass the path on as it came',
        )
      : ok(
          TARGET,
          told
            ? `${protocol}//${host}, and the path as it was sent`
            : 'not told, or not by a trusted proxy; only gateways that append to /verify need it',
        ),
    spoofed
      ? warn(SPOOFED_TARGET, "a caller's own X-Forwarded- headers are believed", remove)
      : ok(SPOOFED_TARGET, "a caller's own X-Forwarded- headers are not believed"),
  ]
}

type Pool = NonNullable<AddressScene['database']>

async function findCertificateClient({ pool }: Pool): Promise<string | undefined> {
  const { rows } = await guardDatabase(() =>
    pool.query<{ id: string }>(
      `SELECT id FROM clients
       WHERE auth_methods && ARRAY['tls_client_auth', 'self_signed_tls_client_auth'] LIMIT 1`,
    ),
  )
  return rows[0]?.id
}

/**
 * The service writes it within a second. Failures of one minute and source are one event, without what they
 * do not have in common: undefined where ours is among others.
 */
async function waitForEvent({ pool }: Pool, userAgent: string): Promise<Seen | undefined> {
  const fromMs = performance.now()
  for (;;) {
    const { rows } = await guardDatabase(() =>
      pool.query<Seen & { userAgent: string | null }>(
        `SELECT ip, reason, user_agent AS "userAgent" FROM audit_events
         WHERE type = 'client.authentication_failed' AND at > now() - interval '2 minutes'
           AND (user_agent = $1 OR (detail->>'lastAt')::timestamptz > now() - interval '8 seconds')
         ORDER BY user_agent IS NOT DISTINCT FROM $1 DESC LIMIT 1`,
        [userAgent],
      ),
    )
    const [found] = rows
    if (found?.userAgent === userAgent) return found
    const waitedMs = performance.now() - fromMs
    if (waitedMs > PATIENCE_MS || (found && waitedMs > MERGED_AFTER_MS)) return undefined
    await delay(POLL_MS)
  }
}

const PRIVATE = [
  ...['10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.168.0.0/16', '::1/128', 'fc00::/7', 'fe80::/10'],
]

/** Whether an address is in one of the networks. */
function openList(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList()
  const familyOf = (address: string) => (isIPv4(address) ? 'ipv4' : 'ipv6')
  for (const network of networks) {
    const [address = '', prefix] = network.split('/')
    list.addSubnet(address, Number(prefix), familyOf(address))
  }
  return (address) => (isIPv4(address) || isIPv6(address)) && list.check(address, familyOf(address))
}
