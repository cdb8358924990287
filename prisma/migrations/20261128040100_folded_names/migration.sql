-- Keys of user names are of full case folding from now on, which SQL has no function for: the
-- service computes them anew where this row says so, and deletes it then. ASCII folds as before.
INSERT INTO "table_versions" ("name")
SELECT 'user_name_keys' WHERE EXISTS (
  SELECT FROM "users"
  WHERE octet_length("username") > char_length("username") OR octet_length("email") > char_length("email")
)
ON CONFLICT ("name") DO NOTHING;
