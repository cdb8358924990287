-- A list of users, all or of one status, reads its rows and no others: deleted users, of whom rows stay,
-- are in neither index before them.
CREATE INDEX "users_status_created_at_id_idx" ON "users"("status", "created_at", "id");
CREATE INDEX "users_listed_idx" ON "users"("created_at", "id") WHERE status <> 'deleted';
DROP INDEX "users_created_at_id_idx";
