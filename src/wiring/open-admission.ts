// Who may begin, and who hears of those that may not.

import { type Admission, openAdmission } from '../admission/admission.ts'
import { LOAD_CLASSES, type LoadClass } from '../admission/load-class.ts'
import { logEvent } from '../ops/log-events.ts'
import { tellNowAndThen } from '../ops/now-and-then.ts'
import type { Foundation } from './foundation.ts'

export function openServiceAdmission({
  figures,
  logger,
}: Pick<Foundation, 'figures' | 'logger'>): Admission {
  const shed = new Map<LoadClass, number>()
  const tellSoon = tellNowAndThen(() => {
    const counts = LOAD_CLASSES.map((loadClass) => [loadClass, shed.get(loadClass) ?? 0])
    logEvent(logger, 'load.shed', Object.fromEntries(counts))
    shed.clear()
  })
  return openAdmission({
    onShed(loadClass) {
      figures.shed.add(loadClass)
      shed.set(loadClass, (shed.get(loadClass) ?? 0) + 1)
      tellSoon()
    },
  })
}
