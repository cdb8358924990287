-- What a password hash costs to verify, of whatever scheme and whoever has written it: the text
-- `group:work:settings` of src/users/password-scheme.ts, where work has twelve digits, so that costs of
-- one group sort as their work does. NULL for what no scheme knows and for what is out of its bounds.
-- test/users/stored-password-costs.test.ts holds it to the schemes. A scheme with another way to spell
-- its cost needs a branch here: a function of a new name and an index of a new name, as releases that
-- run beside it go on reading these. No pattern captures anything: that takes a hundred times as long.
CREATE FUNCTION password_hash_cost(hash text) RETURNS text
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $function$
DECLARE
  part text;
  m bigint;
  t bigint;
  p bigint;
  work bigint;
BEGIN
  IF starts_with(hash, '$argon2') THEN
    IF hash !~ '^[$]argon2(?:id|i|d)[$]v=19[$](?:[mtp]=[1-9][0-9]{0,6},){2}[mtp]=[1-9][0-9]{0,6}(?:,keyid=[A-Za-z0-9+/]{2})?[$]' THEN
      RETURN NULL;
    END IF;
    part := split_part(hash, '$', 4);
    FOR place IN 1..3 LOOP
      CASE left(split_part(part, ',', place), 1)
        WHEN 'm' THEN m := substr(split_part(part, ',', place), 3);
        WHEN 't' THEN t := substr(split_part(part, ',', place), 3);
        ELSE p := substr(split_part(part, ',', place), 3);
      END CASE;
    END LOOP;
    work := m * t;
    IF m <= 262144 AND t <= 16 AND p <= 16 AND m >= 8 * p AND work <= 786432 AND work * p <= 2097152 THEN
      RETURN 'argon2 ' || substr(split_part(hash, '$', 2), 7) || '-' || p || ':' || lpad(work::text, 12, '0')
        || ':m=' || m || ',t=' || t || ',p=' || p;
    END IF;
  ELSIF starts_with(hash, '$2') THEN
    IF hash ~ '^[$]2[aby][$](?:0[4-9]|1[0-4])[$]' THEN
      p := substr(hash, 5, 2);
      RETURN 'bcrypt:' || lpad((1 << p::int)::text, 12, '0') || ':' || p;
    END IF;
  ELSIF starts_with(hash, '$pbkdf2') OR starts_with(hash, 'pbkdf2_') THEN
    IF hash ~ '^(?:[$]pbkdf2(?:-sha256|-sha512)?|pbkdf2_(?:sha1|sha256|sha512))[$][1-9][0-9]{0,6}[$]' THEN
      hash := ltrim(hash, '$');
      part := coalesce(nullif(substr(split_part(hash, '$', 1), 8), ''), 'sha1');
      work := split_part(hash, '$', 2);
      IF work <= 1000000 OR (work <= 2000000 AND part <> 'sha512') THEN
        RETURN 'pbkdf2 ' || part || ':' || lpad(work::text, 12, '0') || ':';
      END IF;
    END IF;
  ELSIF starts_with(hash, '$6$') THEN
    IF hash ~ '^[$]6[$](?:rounds=[1-9][0-9]{0,6}[$])?[./0-9A-Za-z]{1,16}[$]' THEN
      part := split_part(hash, '$', 3);
      work := 5000;
      IF starts_with(part, 'rounds=') THEN
        work := substr(part, 8);
        part := split_part(hash, '$', 4);
      END IF;
      IF work BETWEEN 1000 AND 1000000 THEN
        RETURN 'sha512-crypt ' || length(part) || ':' || lpad(work::text, 12, '0') || ':';
      END IF;
    END IF;
  ELSE
    IF hash ~ '^[$](?:scrypt[$]ln|fbscrypt[$]v=1,n)=[1-9][0-9]?,r=[1-9][0-9]?,p=[1-9][0-9]?[,$]' THEN
      part := split_part(hash, '$', 3);
      IF starts_with(part, 'v=1,') THEN part := substr(part, 5); END IF;
      m := split_part(split_part(part, ',', 1), '=', 2);
      m := CASE WHEN m <= 20 THEN 1 << m::int END;
      t := substr(split_part(part, ',', 2), 3);
      p := substr(split_part(part, ',', 3), 3);
    ELSIF hash ~ '^scrypt:[1-9][0-9]{0,6}:[1-9][0-9]?:[1-9][0-9]?[$]' THEN
      part := split_part(hash, '$', 1);
      m := split_part(part, ':', 2);
      t := split_part(part, ':', 3);
      p := split_part(part, ':', 4);
    ELSIF hash ~ '^scrypt[$][1-9][0-9]{0,6}[$][^$]*[$][1-9][0-9]?[$][1-9][0-9]?[$]' THEN
      m := split_part(hash, '$', 2);
      t := split_part(hash, '$', 4);
      p := split_part(hash, '$', 5);
    END IF;
    work := m * t * p;
    IF m >= 2 AND (m & (m - 1)) = 0 AND t <= 32 AND p <= 16 AND work <= 1048576 THEN
      RETURN 'scrypt:' || lpad(work::text, 12, '0') || ':' || m || ',' || t || ',' || p;
    END IF;
  END IF;
  RETURN NULL;
END
$function$;

-- The older users_password_cost_idx stays for instances of the release before.
CREATE INDEX "users_password_hash_cost_idx" ON "users" ((password_hash_cost("password_hash")) COLLATE "C");
