// The contract of an installation that sends no mail: without the operations that need one, and it says
// so.

import type { Contract } from './contract.ts'

/** Stands at a path that is there only with this setting. */
const NEEDS = 'x-lineage-needs'
const MAIL = 'LINEAGE_SMTP_URL'

export function withoutMail(contract: Contract): Contract {
  const all = Object.entries(contract.paths)
  const needsMail = ([, item]: (typeof all)[number]) => item[NEEDS] === MAIL
  const absent = all.filter(needsMail).map(([path]) => `\`${path}\``)
  const description = `${contract.info.description}
**Mail** is not set up here (\`${MAIL}\` is unset): ${absent.join(', ')} answer 404, and are not listed.
`
  return {
    ...contract,
    info: { ...contract.info, description },
    paths: Object.fromEntries(all.filter((entry) => !needsMail(entry))),
  }
}
