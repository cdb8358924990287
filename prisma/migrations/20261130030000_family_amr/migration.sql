-- How the login of a family was made (RFC 8176). The default is for instances of the release before,
-- which know no other way, and for the families that they made.
ALTER TABLE "families" ADD COLUMN "amr" TEXT[] NOT NULL DEFAULT ARRAY['pwd']::TEXT[];
