// What a request for tokens costs its caller to lose: the classes in which load is shed.

/**
 * In the order in which they are served. Whoever cannot refresh has lost a session that worked; a
 * service can wait a moment; a login is the dearest to us, and its user sees that he has to repeat it.
 */
export const LOAD_CLASSES = ['refresh', 'client_credentials', 'login'] as const

export type LoadClass = (typeof LOAD_CLASSES)[number]
