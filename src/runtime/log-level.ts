// How severe a line of the log is, and which ones are written.

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal'

/** The least severe level that is written, as pino names them: with `silent` none is. */
export const LOG_THRESHOLDS = [
  'fatal',
  'error',
  'warn',
  'info',
  'debug',
  'trace',
  'silent',
] as const

export type LogThreshold = (typeof LOG_THRESHOLDS)[number]
