-- The name of a user stands in the family store's copy of the record, so that introspection can say it
-- without a second question. Copies from before have none until their user logs in or changes.
ALTER TABLE "family_users" ADD COLUMN "username" TEXT;
