-- Every login is made as dear as the dearest password hash of all users: that one is found here,
-- for each parallelism, whoever has written the hash.
CREATE INDEX "users_password_cost_idx" ON "users" (
  (substring(password_hash from '^[$]argon2id[$]v=19[$](?:[a-z0-9,=]*,)?p=([0-9]{1,2})[,$]')::int),
  ((substring(password_hash from '^[$]argon2id[$]v=19[$](?:[a-z0-9,=]*,)?m=([0-9]{1,7})[,$]')::bigint
    * substring(password_hash from '^[$]argon2id[$]v=19[$](?:[a-z0-9,=]*,)?t=([0-9]{1,2})[,$]')::bigint))
);
