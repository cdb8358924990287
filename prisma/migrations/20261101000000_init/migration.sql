-- As Prisma writes it, but for CREATE SCHEMA, which a role without rights on the database may not.

-- CreateTable
CREATE TABLE "users" (
    "id" UUID NOT NULL,
    "username" TEXT,
    "username_key" TEXT,
    "email" TEXT,
    "email_key" TEXT,
    "email_verified" BOOLEAN NOT NULL DEFAULT false,
    "password_hash" TEXT,
    "status" TEXT NOT NULL DEFAULT 'active',
    "roles" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "epoch" INTEGER NOT NULL DEFAULT 0,
    "version" INTEGER NOT NULL DEFAULT 0,
    "epoch_log" JSONB NOT NULL DEFAULT '[]',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "password_changed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "users_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "clients" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "grant_types" TEXT[],
    "scopes" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "default_scopes" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "audiences" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "auth_methods" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "access_token_ttl_seconds" INTEGER,
    "refresh_idle_ttl_seconds" INTEGER,
    "refresh_absolute_ttl_seconds" INTEGER,
    "refresh_grace_seconds" INTEGER,
    "token_delivery" TEXT NOT NULL DEFAULT 'body',
    "access_token_cookie" BOOLEAN NOT NULL DEFAULT false,
    "allowed_origins" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "forwards_client_ip" BOOLEAN NOT NULL DEFAULT false,
    "sessions_valid_from" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "clients_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "client_secrets" (
    "id" UUID NOT NULL,
    "client_id" TEXT NOT NULL,
    "hash" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "client_secrets_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "signing_keys" (
    "kid" TEXT NOT NULL,
    "alg" TEXT NOT NULL,
    "public_jwk" JSONB NOT NULL,
    "private_key_encrypted" BYTEA NOT NULL,
    "root_secret_id" INTEGER NOT NULL,
    "published_at" TIMESTAMPTZ(3) NOT NULL,
    "active_from" TIMESTAMPTZ(3) NOT NULL,
    "longest_token_seconds" INTEGER NOT NULL,

    CONSTRAINT "signing_keys_pkey" PRIMARY KEY ("kid")
);

-- CreateTable
CREATE TABLE "table_versions" (
    "name" TEXT NOT NULL,
    "version" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "table_versions_pkey" PRIMARY KEY ("name")
);

-- CreateTable
CREATE TABLE "journal" (
    "id" BIGSERIAL NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "payload" JSONB NOT NULL,

    CONSTRAINT "journal_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "families" (
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "client_id" TEXT NOT NULL,
    "scope" TEXT[],
    "audience" TEXT[],
    "secret_hash" TEXT NOT NULL,
    "generation" BIGINT NOT NULL,
    "epoch" INTEGER NOT NULL,
    "created_at_ms" BIGINT NOT NULL,
    "rotated_at_ms" BIGINT NOT NULL,
    "idle_expires_at_ms" BIGINT NOT NULL,
    "absolute_expires_at_ms" BIGINT NOT NULL,
    "ended_at_ms" BIGINT,
    "ended_reason" TEXT,
    "ip" TEXT NOT NULL,
    "user_agent" TEXT NOT NULL,

    CONSTRAINT "families_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "family_users" (
    "user_id" UUID NOT NULL,
    "epoch" INTEGER NOT NULL,
    "status" TEXT NOT NULL,
    "roles" TEXT[],
    "version" INTEGER NOT NULL,
    "epoch_log" JSONB NOT NULL,

    CONSTRAINT "family_users_pkey" PRIMARY KEY ("user_id")
);

-- CreateTable
CREATE TABLE "revoked_tokens" (
    "owner" TEXT NOT NULL,
    "jti" TEXT NOT NULL,
    "expires_at_ms" BIGINT NOT NULL,

    CONSTRAINT "revoked_tokens_pkey" PRIMARY KEY ("owner","jti")
);

-- CreateIndex
CREATE UNIQUE INDEX "users_username_key_key" ON "users"("username_key");

-- CreateIndex
CREATE UNIQUE INDEX "users_email_key_key" ON "users"("email_key");

-- CreateIndex
CREATE INDEX "users_created_at_id_idx" ON "users"("created_at", "id");

-- CreateIndex
CREATE INDEX "clients_created_at_id_idx" ON "clients"("created_at", "id");

-- CreateIndex
CREATE INDEX "client_secrets_client_id_idx" ON "client_secrets"("client_id");

-- CreateIndex
CREATE INDEX "signing_keys_active_from_kid_idx" ON "signing_keys"("active_from", "kid");

-- CreateIndex
CREATE INDEX "journal_at_idx" ON "journal"("at");

-- CreateIndex
CREATE INDEX "families_user_id_client_id_idx" ON "families"("user_id", "client_id");

-- CreateIndex
CREATE INDEX "families_absolute_expires_at_ms_idx" ON "families"("absolute_expires_at_ms");

-- CreateIndex
CREATE INDEX "revoked_tokens_expires_at_ms_idx" ON "revoked_tokens"("expires_at_ms");

-- AddForeignKey
ALTER TABLE "client_secrets" ADD CONSTRAINT "client_secrets_client_id_fkey" FOREIGN KEY ("client_id") REFERENCES "clients"("id") ON DELETE CASCADE ON UPDATE CASCADE;
