-- KEYS: family, user, token. Answers {family, user, whether the token was revoked}.
return {
  redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2]), redis.call('EXISTS', KEYS[3]),
}
