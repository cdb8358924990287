// What an operator should know of the configuration and the clients, once, at the start.

import { LISTED_GRANTS } from '../grants/grants.ts'
import { openSourceList } from '../throttle/source-list.ts'
import type { Service } from './open-service.ts'

/** One sentence each. */
export function listServiceNotices({ config, clients }: Service): string[] {
  const { grantCounts, certificateCount } = clients.overview()
  const deprecated = LISTED_GRANTS.filter(
    ({ name, isDeprecated }) => isDeprecated && grantCounts.has(name),
  )
  return [
    ...deprecated.map(
      ({ name }) =>
        `the ${name} grant is deprecated (RFC 9700 §2.4); clients that use it: ${grantCounts.get(name)}`,
    ),
    ...(config.trustProxy.length > 0 && !config.isCertificateHeaderStated && certificateCount > 0
      ? [
          `every trusted proxy must remove or set Client-Cert, as LINEAGE_CLIENT_CERT_HEADER is not stated; clients with certificates: ${certificateCount}`,
        ]
      : []),
    ...(config.opsPort === undefined && trustsThisMachine(config.trustProxy)
      ? [
          'a proxy on this machine is a caller that may read /metrics, so it must not pass that path on: ' +
            'refuse it there, or set LINEAGE_OPS_PORT',
        ]
      : []),
    ...(config.issuer.startsWith('http:')
      ? [
          'the issuer is plain http: for development on this machine only',
          'the issuer is plain http: cookies go without the prefix __Host- and the flag Secure',
        ]
      : []),
  ]
}

function trustsThisMachine(networks: readonly string[]): boolean {
  const isTrusted = openSourceList(networks)
  return ['127.0.0.1', '::1'].some(isTrusted)
}
