// The settings of the log: their rows of the table.

import { type ConcernLevels, LOG_CONCERNS } from '../ops/log-levels.ts'
import { LOG_THRESHOLDS, type LogThreshold } from '../runtime/log-level.ts'
import { BadValue, oneOf } from './config-values.ts'
import { optional, row, type Setting } from './setting.ts'

export const LOG_ROWS = {
  LOG_LEVEL: row('info', oneOf(...LOG_THRESHOLDS), 'Least severe log lines that are written.'),
  LOG_LEVELS: optional(
    parseConcernLevels,
    'Concerns with a level of their own, as `request=warn,security=info` (docs/operations.md#levels).',
  ),
  LOG_FORMAT: row(
    'json',
    oneOf('json', 'pretty'),
    '`pretty` writes lines for people where standard output is a terminal, and JSON elsewhere.',
  ),
} as const satisfies Record<string, Setting<unknown>>

const parseThreshold = oneOf(...LOG_THRESHOLDS)

/** `concern=level`, more of them by comma, each concern once. */
function parseConcernLevels(text: string): ConcernLevels {
  const levels = new Map<string, LogThreshold>()
  for (const pair of text.split(',')) {
    const [concern = '', level = '', ...rest] = pair.split('=')
    if (level === '' || rest.length > 0) {
      throw new BadValue('must be concern=level, more of them by comma, without spaces')
    }
    if (!LOG_CONCERNS.includes(concern)) {
      throw new BadValue(`must name concerns of these: ${LOG_CONCERNS.join(', ')}`)
    }
    if (levels.has(concern)) throw new BadValue('names a concern twice')
    levels.set(concern, parseLevelOf(level))
  }
  return levels
}

function parseLevelOf(text: string): LogThreshold {
  try {
    return parseThreshold(text)
  } catch {
    throw new BadValue(`must give levels of these: ${LOG_THRESHOLDS.join(', ')}`)
  }
}
