// The mail server as LINEAGE_SMTP_URL names it.

export interface SmtpTarget {
  readonly host: string
  readonly port: number
  /**
   * `implicit` speaks TLS from the first byte, `starttls` refuses to go on without it, `none` speaks
   * in clear.
   */
  readonly tls: 'implicit' | 'starttls' | 'none'
  readonly credentials: { readonly user: string; readonly password: string } | undefined
}

/** Who writes. */
export interface MailSender {
  /** Empty where the address stands alone. */
  readonly name: string
  readonly address: string
}

export interface MailSettings {
  readonly smtp: SmtpTarget
  readonly from: MailSender
  /** The page of the app that the link of each mail opens. */
  readonly pages: {
    readonly password_reset: string
    readonly email_verification: string
  }
  /** A folder with templates of the operator's own. */
  readonly templates: string | undefined
}
