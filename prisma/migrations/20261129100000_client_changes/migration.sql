-- Which client each change was about, so that an instance reads those clients and no others. Written by
-- triggers, whoever changes a client: an older release, or somebody by hand.
CREATE TABLE "client_changes" (
    "version" BIGINT NOT NULL,
    "client_id" TEXT NOT NULL,

    CONSTRAINT "client_changes_pkey" PRIMARY KEY ("version","client_id")
);

-- Where the first reader goes on from.
INSERT INTO "client_changes" ("version", "client_id") VALUES (0, '');

CREATE FUNCTION log_client_changes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  ids TEXT[];
  next BIGINT;
BEGIN
  IF TG_TABLE_NAME = 'clients' THEN
    SELECT array_agg(id) INTO ids FROM changed;
  ELSE
    -- Secrets that go with their client are no change beside it.
    EXECUTE format('SELECT array_agg(DISTINCT client_id) FROM changed
      WHERE client_id IN (SELECT id FROM %I.clients)', TG_TABLE_SCHEMA) INTO ids;
  END IF;
  IF ids IS NULL THEN RETURN NULL; END IF;
  -- Of more than a thousand at once it only says that there were many.
  IF cardinality(ids) > 1000 THEN ids := ARRAY['']; END IF;
  -- The row stays locked until the transaction ends, so versions come in the order of commits, and
  -- whoever sees one sees all before it. They are microseconds, so that a server which lost its last
  -- commits does not give the same versions to other changes.
  EXECUTE format('INSERT INTO %I.table_versions AS stored (name, version)
    VALUES (''clients'', floor(extract(epoch FROM clock_timestamp()) * 1000000))
    ON CONFLICT (name) DO UPDATE SET version = greatest(stored.version + 1, excluded.version)
    RETURNING version', TG_TABLE_SCHEMA) INTO next;
  EXECUTE format('INSERT INTO %I.client_changes (version, client_id) SELECT $1, unnest($2)',
    TG_TABLE_SCHEMA) USING next, ids;
  -- The newest 2,000. Whoever comes later than that finds his place gone, and reads every client.
  EXECUTE format('DELETE FROM %1$I.client_changes WHERE version <
    (SELECT version FROM %1$I.client_changes ORDER BY version DESC OFFSET 1999 LIMIT 1)',
    TG_TABLE_SCHEMA);
  RETURN NULL;
END $$;

CREATE TRIGGER client_inserted AFTER INSERT ON "clients" REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION log_client_changes();
CREATE TRIGGER client_updated AFTER UPDATE ON "clients" REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION log_client_changes();
CREATE TRIGGER client_deleted AFTER DELETE ON "clients" REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION log_client_changes();
CREATE TRIGGER client_secret_inserted AFTER INSERT ON "client_secrets" REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION log_client_changes();
CREATE TRIGGER client_secret_updated AFTER UPDATE ON "client_secrets" REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION log_client_changes();
CREATE TRIGGER client_secret_deleted AFTER DELETE ON "client_secrets" REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION log_client_changes();
