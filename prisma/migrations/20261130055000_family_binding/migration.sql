-- What the tokens of a family are bound to (RFC 7800 `cnf`): a key, a certificate, or both. Null, as in
-- every family of the release before, is nothing.
ALTER TABLE "families" ADD COLUMN "confirmation" JSONB;
