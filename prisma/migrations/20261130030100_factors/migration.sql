-- Whether a login needs a second step, where a login reads it anyway. The release before neither reads
-- nor writes it.
ALTER TABLE "users" ADD COLUMN "has_factor" BOOLEAN NOT NULL DEFAULT false;

-- What a user has besides the password; the secret is encrypted under the root secret.
CREATE TABLE "factors" (
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "type" TEXT NOT NULL,
    "name" TEXT,
    "status" TEXT NOT NULL DEFAULT 'pending',
    "secret_encrypted" BYTEA NOT NULL,
    "root_secret_id" INTEGER NOT NULL,
    "last_step" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "activated_at" TIMESTAMPTZ(3),

    CONSTRAINT "factors_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "factors_user_id_created_at_id_idx" ON "factors"("user_id", "created_at", "id");
CREATE INDEX "factors_root_secret_id_id_idx" ON "factors"("root_secret_id", "id");
CREATE INDEX "factors_status_created_at_idx" ON "factors"("status", "created_at");

CREATE TABLE "recovery_codes" (
    "user_id" UUID NOT NULL,
    "hash" BYTEA NOT NULL,

    CONSTRAINT "recovery_codes_pkey" PRIMARY KEY ("user_id","hash")
);

-- Logins whose second step was tried: how often, and whether it succeeded.
CREATE TABLE "mfa_tokens" (
    "id" UUID NOT NULL,
    "guesses" INTEGER NOT NULL,
    "used" BOOLEAN NOT NULL DEFAULT false,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "mfa_tokens_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "mfa_tokens_expires_at_idx" ON "mfa_tokens"("expires_at");

-- Whether only users with a second factor may log in there.
ALTER TABLE "clients" ADD COLUMN "require_factor" BOOLEAN NOT NULL DEFAULT false;
