// What `lineage doctor` looks at for mail: that the templates are valid, and that the mail server lets
// the service in. Nothing is sent.

import { loadMailTemplates } from '../../mail/mail-templates.ts'
import type { MailSettings } from '../../mail/smtp-target.ts'
import { openSmtpTransport } from '../../mail/smtp-transport.ts'
import { StartError } from '../../runtime/start-error.ts'
import { type Finding, fail, ok, skip } from './finding.ts'

const TEMPLATES = 'mail templates'
const SERVER = 'mail server'
const PATIENCE_MS = 10_000

export async function examineMail(mail: MailSettings | undefined): Promise<Finding[]> {
  if (!mail) return [skip('mail', 'none is sent: LINEAGE_SMTP_URL is not set')]
  return [examineTemplates(mail), await examineServer(mail)]
}

function examineTemplates({ templates }: MailSettings): Finding {
  try {
    loadMailTemplates(templates)
    return ok(TEMPLATES, templates === undefined ? 'those that are shipped' : 'valid')
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    return fail(TEMPLATES, error.message, 'mend the files that LINEAGE_MAIL_TEMPLATES leads to')
  }
}

async function examineServer({ smtp }: MailSettings): Promise<Finding> {
  const transport = await openSmtpTransport(smtp)
  try {
    const refusal = await transport.verify(AbortSignal.timeout(PATIENCE_MS))
    if (!refusal) return ok(SERVER, `lets us in, TLS: ${smtp.tls}`)
    const { error, smtpStatus } = refusal
    const detail = smtpStatus === undefined ? error : `${error}, reply ${smtpStatus}`
    return fail(SERVER, detail, adviseOn(error))
  } finally {
    transport.close()
  }
}

function adviseOn(error: string): string {
  if (error === 'EAUTH') return 'mend the user and the password of LINEAGE_SMTP_URL'
  if (error === 'ETLS') {
    return 'it must offer STARTTLS with a trusted certificate (NODE_EXTRA_CA_CERTS), or use smtps://'
  }
  return 'mend host and port of LINEAGE_SMTP_URL, or the way there; no mail is lost meanwhile'
}
