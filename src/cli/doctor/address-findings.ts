// `lineage doctor --url`: the public address as its callers meet it, with whatever stands before the service.
// Some forty requests that read; none names a user, a secret or a token that there is.

import { randomUUID } from 'node:crypto'
import type { AddressScene } from './address-scene.ts'
import { memberOfBody, unlessSilent } from './address-scene.ts'
import { NoAnswer, openAddress } from './ask-address.ts'
import { examineCaches } from './cache-findings.ts'
import { openProver } from './doctor-proof.ts'
import { type Finding, fail, ok } from './finding.ts'
import { examineForwarded } from './forwarded-findings.ts'
import { examineHeaders } from './header-findings.ts'
import { examinePaths } from './path-findings.ts'
import { examineReach } from './reach-findings.ts'
import { examineTls } from './tls-findings.ts'

const CHECK = 'address'

export type AddressOptions = Omit<AddressScene, 'address' | 'userAgent'> & { readonly url: string }

/** `url` is one that the URL parser takes. */
export async function examineAddress({ url, ...given }: AddressOptions): Promise<Finding[]> {
  const userAgent = `lineage-doctor/${randomUUID()}`
  const address = openAddress(url, userAgent)
  const scene: AddressScene = { ...given, address, userAgent }
  try {
    const metadata = await address.ask({ path: '/.well-known/openid-configuration' })
    const tls = await examineTls(scene, metadata.headers['strict-transport-security'])
    const issuer = memberOfBody(metadata, 'issuer')
    if (issuer !== given.config.issuer) {
      const detail = `status ${metadata.status}, and not the metadata of ${given.config.issuer}`
      const advice = 'route the path of the issuer to the service; a redirect is not followed'
      return [fail(CHECK, `${url}: ${detail}`, advice), ...tls]
    }
    return [ok(CHECK, `${url} answers as the issuer`), ...tls, ...(await examineAll(scene))]
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error
    const advice = 'start proxy and service, or check DNS, the port and the network between'
    return [fail(CHECK, `${url}: ${error.message}`, advice)]
  } finally {
    address.close()
  }
}

async function examineAll(scene: AddressScene): Promise<Finding[]> {
  const prove = await openProver()
  const { status, headers } = await scene.address.ask({ path: '/verify' })
  const hasVerify = status === 401 && headers['www-authenticate'] !== undefined
  const groups = [
    await unlessSilent('paths', () => examinePaths(scene)),
    await unlessSilent('headers', () => examineHeaders(scene, prove, hasVerify)),
    await unlessSilent('forwarded headers', () => examineForwarded(scene, prove, hasVerify)),
    await unlessSilent('caches', () => examineCaches(scene)),
    await unlessSilent('reach', () => examineReach(scene)),
  ]
  return groups.flat()
}
