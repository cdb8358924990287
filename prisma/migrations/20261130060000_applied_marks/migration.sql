-- What a file that was applied says of a resource besides its settings: its labels, whether it was made by
-- one, the name of a webhook. Empty for whatever was made in another way, and by the release before.
ALTER TABLE "clients" ADD COLUMN "applied" JSONB NOT NULL DEFAULT '{}';

ALTER TABLE "trusted_issuers" ADD COLUMN "applied" JSONB NOT NULL DEFAULT '{}';

ALTER TABLE "webhooks" ADD COLUMN "applied" JSONB NOT NULL DEFAULT '{}';

ALTER TABLE "users" ADD COLUMN "applied" JSONB NOT NULL DEFAULT '{}';

-- Few of many users: those that files name.
CREATE INDEX "users_applied_idx" ON "users" (("applied" -> 'labels')) WHERE "applied" <> '{}';
