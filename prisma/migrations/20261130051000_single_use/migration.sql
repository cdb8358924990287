-- Ids that may be used once, where families live in PostgreSQL: hashed, and remembered until until_ms.
CREATE TABLE "single_use" (
    "id" BYTEA NOT NULL,
    "until_ms" BIGINT NOT NULL,

    CONSTRAINT "single_use_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "single_use_until_ms_idx" ON "single_use"("until_ms");
