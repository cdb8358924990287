// Which addresses mail is sent to. Accounts may have any address that looks like one
// (src/users/user-names.ts); but some characters mean something in a header or in a command of SMTP.

/**
 * A dot-atom and a domain, in ASCII or beyond (RFC 5322 §3.4.1, RFC 6531 §3.3). Quoted local parts,
 * comments and address literals, which hardly a mailbox has, are not written to.
 */
const MAILABLE = /^[^\s@\p{C}\p{Z}"(),:;<>[\\\]]{1,64}@[\p{L}\p{N}][\p{L}\p{M}\p{N}.-]{0,252}$/u

/** Whether the address stands for one mailbox, whoever reads it. */
export function isMailable(address: string): boolean {
  return MAILABLE.test(address)
}
