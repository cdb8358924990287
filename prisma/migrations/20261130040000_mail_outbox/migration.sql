-- Mails on their way. A row holds what was asked for, never a token: that is made when the mail is sent.
CREATE TABLE "mail_outbox" (
    "id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "email_key" TEXT NOT NULL,
    "user_id" UUID,
    "act" JSONB NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "next_attempt_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "mail_outbox_pkey" PRIMARY KEY ("id")
);

-- One mail of a kind is on its way to an address, however often it is asked for.
CREATE UNIQUE INDEX "mail_outbox_kind_email_key_key" ON "mail_outbox"("kind", "email_key");

CREATE INDEX "mail_outbox_next_attempt_at_idx" ON "mail_outbox"("next_attempt_at");

CREATE INDEX "mail_outbox_created_at_idx" ON "mail_outbox"("created_at");
