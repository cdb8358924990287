// How severe a line of the log is.

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal'
