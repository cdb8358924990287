// Variables that look like our settings but are none: Kubernetes sets them in every pod for each
// Service whose name begins with `lineage`.

import type { Environment } from './environment.ts'

const NAME =
  /^LINEAGE_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?)$/
/** LINEAGE_OPS_PORT has such a name too; only the value tells the two apart. */
const NAME_WITH_URL = /^LINEAGE_(?:\w+_)?PORT$/
const URL_VALUE = /^(?:tcp|udp|sctp):\/\//

/** The environment without them. */
export function withoutServiceLinks(env: Environment): Environment {
  return Object.fromEntries(
    Object.entries(env).filter(([name, value]) => !isServiceLink(name, value)),
  )
}

/** Whether there are such variables. */
export function hasServiceLinks(env: Environment): boolean {
  return Object.entries(env).some(([name, value]) => isServiceLink(name, value))
}

function isServiceLink(name: string, value = ''): boolean {
  return NAME.test(name) || (NAME_WITH_URL.test(name) && URL_VALUE.test(value))
}
